"""docs/media.md from the table of rules: `python -m tools.media` writes it, a test compares it."""

from __future__ import annotations

from pathlib import Path

from sizeup.errors import Refused
from sizeup.media.medium import Pages
from sizeup.media.rules import Rule, families, rule

FILE = Path(__file__).parent.parent / "docs" / "media.md"

PICTURES = {
    "640 × 480": (640, 480),
    "1920 × 1080": (1920, 1080),
    "12 megapixels": (4000, 3000),
    "A4, 150 dpi": Pages(1, 595.28, 841.89).pixels(150),
}
FILM = {"seconds": 600.0, "width": 1280, "height": 720, "frames_per_s": 25.0, "audio": True}

INTRODUCTION = """# Pictures, sound and films as tokens

How many tokens of a prompt each family of models makes of a thing, by the settings published with it. `sizeup.media.rules.rule("qwen3_vl")`
is the rule; `.picture(width, height)`, `.audio(seconds)` and `.film(seconds, width, height, frames_per_s, audio)` ask it. Written by
`python -m tools.media` from [media_rules.json](../src/sizeup/data/media_rules.json), which names the source of each row.

* **Counted**: the places in the prompt, and the marks in and around the thing. **Not counted**: the words of the prompt, time stamps between the
  frames of a film (a few tokens each), a picture of a PDF's page beside the page's text.
* **Checked**: 23 families of vision models equal transformers 5.23's own helpers for 334 sizes each, from one pixel to 60,000 × 60,000, and what
  the helpers refuse is refused; 17 of them also real pictures really preprocessed (the other 6 scale with torchvision, which is not used here).
  Eight rules for films and six for sound equal the processors' own counts. Unchecked: Kimi-VL and Ultravox (not in transformers), PaliGemma, Florence-2,
  Llama 3.2's and Gemma 3n's and Voxtral's sound, read from code or documents.
* **A checkpoint's own limits** go before these where it lies on this machine (`preprocessor_config.json` beside its weights: `max_pixels`,
  `size.longest_edge`, `max_soft_tokens`); those of a server that is told `--image-max-tokens` are not known.
* **llama.cpp** scales to limits of its own for Qwen-VL, GLM-4V and Kimi-VL (`rule(…, engine="llama.cpp")`, read from its source, not run);
  for Gemma 4 its limits differ from version to version; for the others transformers' numbers are given.
* **What looking takes** (`python -m benchmarks.media`, two shared cores under load, 21 November 2026): `sizeup tokens` on a PDF of 1,000 pages and
  3.5 million characters 1.6 s of a processor (4.4 s by the clock) and 43 MiB, on a film of two hours 0.4 s (1.0) and 54 MiB, whether it is small or
  3 GiB with its header at the end. A picture that claims 60,000 × 60,000 pixels is never unpacked.
* A family without a rule for films is given a picture each second; where it says "frames", it has its own rule, with the sound where it hears it.

"""


def document() -> str:
    """The page."""
    return INTRODUCTION + _pictures() + _heard() + _notes()


def _pictures() -> str:
    rows = [[found.family, *(_picture(found, size) for size in PICTURES.values())] for found in families() if found.pictures]
    for family in ("qwen2_vl", "qwen3_vl", "glm4v", "kimi_vl"):
        found = rule(family, engine="llama.cpp")
        assert found is not None
        rows.append([f"{family} in llama.cpp", *(_picture(found, size) for size in PICTURES.values())])
    return "## Tokens of a picture\n\n" + _table(["family", *PICTURES], rows)


def _picture(found: Rule, size: tuple[int, int]) -> str:
    try:
        return f"{found.picture(*size):,}"
    except Refused:
        return "refused"


def _heard() -> str:
    rows = []
    for found in families():
        if found.sounds is None and found.clips is None:
            continue
        frames = f"{found.frames(600, 25):,}" if found.films == "film" else ""
        film = f"{found.film(**FILM):,}" if found.films == "film" else ""
        minute = found.audio(60)
        rows.append([found.family, "" if minute is None else f"{minute:,}", frames, film])
    return "\n## Tokens of sound and films\n\n" + _table(
        ["family", "a minute of sound", "frames of a 10-minute film", "the film, 1280 × 720, with its sound"], rows
    )


def _notes() -> str:
    return "\n## Besides\n\n" + "".join(f"* `{found.family}`: {note}\n" for found in families() for _, note in found.notes)


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---", *["--:"] * (len(heads) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8")
