"""docs/shrink.md from the code's own answers: `python -m tools.shrink_docs` writes it, a test compares it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sizeup.i18n import texts
from sizeup.render.shrink import row_words, steps_words
from sizeup.shrinking import shrink
from sizeup.shrinking.evidence import rows
from sizeup.shrinking.weigh import Outcome
from sizeup.units import show_bytes

FILE = Path(__file__).parent.parent / "docs" / "shrink.md"
MODELS = ("Qwen/Qwen3-8B", "Qwen/Qwen3-30B-A3B")
MACHINE = "rtx-3060"

INTRODUCTION = """# Making a model smaller

`sizeup shrink MODEL` puts every technique beside the model as it is: what is **stored**, what is **moved** (read for one new token behind a
full context), what must be free to run it, how fast it decodes on a machine, what is left of its quality by whose measurement, and what it
takes to do.

```
sizeup shrink qwen3:8b                                            every technique at its usual strength
sizeup shrink qwen3:8b --to 6GiB --on rtx-3060                    the gentlest combinations that run in 6 GiB, all of it
sizeup shrink Qwen/Qwen3-8B --layers 27 --quant Q4_K_M --prove    one combination, planned by the real engine without weights
sizeup shrink qwen3:30b --experts 96 --ghost small.gguf           the shrunk shape as a GGUF of holes
```

## How it is counted

* What stays a shape (layers, widths, heads, experts, vocabulary, formats, tied embeddings) is a model like any other: bytes, cache, memory
  and speed are the ordinary accounting of the changed layers. The changed config, read anew, gives the same layers; eight shapes and a
  shrunk file are planned by the embedded llama.cpp to the byte (`tests/test_shrink_engine.py`).
* What llama.cpp does not read (zeros, 2:4, low rank, shared layers, keys and values shared by neighbours) is counted in stored bytes of its
  encoding; its moved bytes are those of the dense shape, except for low rank and shared keys, whose factors and smaller cache are what an
  engine that knew them would read. No memory and no speed is told for those.
* Not every shape is one to llama.cpp: some families must have queries as wide as the residual (Qwen2, Phi, OLMo …), or tell models by their
  number of layers (DeepSeek-V2-Lite). Such rows say so and have no memory and no speed. Seven changes of 55
  architectures gave 262 shapes that the engine planned: 260 equal in every part; a Jamba and an EXAONE 4 (whose windows llama.cpp drops
  unless it has 64 layers) differ by 1 and 2 MiB of compute buffers.
* Zeros take the smaller of a bitmap (values, a bit a place) and CSR (values, two bytes of column each, a pointer a row); 2:4 takes half of the
  values and two bits for each: 9/16 of 16 bits. Blocks of a quantised format keep their scales, packed with what is left.
* A width that is no multiple of a format's block (256 values for the K mixes) falls back to a larger format, as llama-quantize does; it says so.
* Layers go from the deep end, the last one stays; where kinds of layers alternate, whole rounds go, so that the order is kept.
* Order: another model, its shape, its formats, what is left out of the weights. Either order gives the same bytes, except that mixes which
  look at a layer's place (K_M and their kin) give a file pruned after quantising other types than one quantised after pruning.
* Towers (vision, audio) are a file of their own and not counted. A model published in FP8 is counted from 16 bits, as llama.cpp stores it.
* Distilling to a width or a depth is `--hidden` or `--layers`: where a measurement healed the model, the training hours are told, with the
  whole model forward as teacher. Distilling to a named smaller model is `--sibling`, which exists already and takes a download.
* `--to` means all that must be free to run it, in all pools together, at the context: weights, cache, working buffers, the engine's process.

## Quality and work

A technique's cost is a published measurement at about the same strength (within 6 % of the whole) on a model of about the same size (within
five times, dense for dense and experts for experts), shown as it was measured; where none is near it is **unknown**, and combinations with an
unknown part come last. Perplexities become a share of a task's score by the rule for quantised models ([recommendations](recommendations.md));
several steps multiply, as if they knew nothing of each other: both are assumptions. Siblings are compared only where somebody ran benchmarks on
both. Training hours are tokens of the measurement × FLOPs of the layers, with the whole model forward as teacher, on H100s at published MFU.
"""


def document() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, *tables(), *evidence(), ""])


def tables() -> Iterator[str]:
    """Stored and moved bytes of every technique, alone; speeds are left to the machine that is asked about."""
    for name in MODELS:
        found = shrink(name, MACHINE, context_tokens=8192)
        yield f"## {name}, {found.base.form.label}, 8,192 tokens of context\n"
        yield "| technique | stored | moved | kept | work |\n| --- | ---: | ---: | ---: | --- |"
        yield from (line(row) for row in (found.base, *found.alone))
        yield ""


def line(row: Outcome) -> str:
    """One outcome; its quality is told without its interval."""
    t, share = texts("en"), row.cost.share
    kept = "" if not row.steps else "unknown" if share is None else f"{share:.1%}"
    work = t(f"shrink.work_{row.cost.labour.level}") if row.steps else ""
    return f"| {steps_words(t, row.steps)} | {show_bytes(row.stored_bytes)} | {show_bytes(row.moved_bytes)} | {kept} | {work} |"


def evidence() -> Iterator[str]:
    """Every measurement that quality rests on."""
    yield "## Measurements\n"
    yield from (f"* {row.technique}{f' {row.pattern}' if row.pattern else ''}: {row_words(texts('en'), row)}" for row in rows())


if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8")
