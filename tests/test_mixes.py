"""Mixes: the type of every tensor, against the quantiser itself and against published headers."""

from __future__ import annotations

import functools
import json
import lzma
import re
from pathlib import Path
from typing import Any

import pytest

from sizeup.errors import NotFound, Refused
from sizeup.mixes import MixFacts, assign, converted_type, mix, mixes, quantiser_order
from sizeup.model import Tensor
from sizeup.quant import quant

from .ghosts import NAMES, ghost

RECORDED = Path(__file__).parent / "data" / "llamacpp_mixes.jsonl.xz"
"""What llama.cpp b11549 chose (src/llama-quant.cpp, built against the engine's own library), for every mix: its choice for
the tensors of 58 published models, and what it wrote when 19 tiny files were really quantised, with and without an
importance matrix. One letter a tensor: the type's number from "0" on; or why it refused."""

KEPT_WIDER = {
    "rwkv7": {"blk.#.time_mix_a1.weight", "blk.#.time_mix_a2.weight", "blk.#.time_mix_g1.weight", "blk.#.time_mix_g2.weight"}
    | {"blk.#.time_mix_v1.weight", "blk.#.time_mix_v2.weight"},
    "gemma3n": {"altup_proj.weight", "altup_unembd_proj.weight", "blk.#.altup_router.weight"},
}
"""Small matrices that the quantiser leaves as it finds them. These headers hold 32 bits; the converter of this version writes 16."""


@functools.cache
def recorded() -> list[dict[str, Any]]:
    return [json.loads(line) for line in lzma.decompress(RECORDED.read_bytes()).splitlines()]


def converted(rows: list[str]) -> list[Tensor]:
    tensors = [Tensor(name, tuple(map(int, shape.split("x")))) for name, shape in (row.split(" ") for row in rows)]
    return [Tensor(tensor.name, tensor.shape, converted_type(tensor)) for tensor in tensors]


def letters(types: tuple[str, ...]) -> str:
    return "".join(chr(48 + (quant(kind).id or 0)) for kind in types)


@pytest.mark.parametrize("row", range(77), ids=lambda row: recorded()[row]["model"])
def test_the_quantiser_chooses_what_we_say(row):
    """Every tensor of every mix has the type that llama.cpp gave it; what it refuses for its shape, we refuse."""
    record = recorded()[row]
    tensors = converted(record["tensors"])
    for label, theirs in record["types"].items():
        name, _, importance = label.partition("+")
        facts = MixFacts(**record["facts"], importance=bool(importance))
        if theirs == "refused: shape":
            with pytest.raises(Refused):
                assign(tensors, name, facts)
        elif theirs != "refused: importance":
            assert theirs == letters(assign(tensors, name, facts)), label


def test_every_mix_was_recorded():
    """No mix escapes the comparison above, and the 77 models are all there."""
    assert len(recorded()) == 77
    for record in recorded():
        assert set(mixes()) <= {label.partition("+")[0] for label in record["types"]}


@pytest.mark.parametrize("name", NAMES)
def test_published_headers_hold_the_types_of_their_mix(name):
    """From names and shapes alone, each tensor of each header gets its stored type; small matrices that stayed wider are listed."""
    header = ghost(name)
    architecture = header.metadata["general.architecture"]
    heads = header.get("attention.head_count", 0)
    facts = MixFacts(
        architecture,
        heads,
        header.get("attention.head_count_kv", heads),
        header.get("block_count"),
        header.get("expert_count", 0),
        header.get("nextn_predict_layers", 0),
    )
    ours = assign([Tensor(tensor, shape) for tensor, shape, _ in header.tensors], name.rpartition("-")[2], facts)
    different = {
        re.sub(r"^blk\.\d+", "blk.#", tensor): (kind, stored)
        for (tensor, _, stored), kind in zip(header.tensors, ours, strict=True)
        if kind != stored
    }
    assert dict.fromkeys(KEPT_WIDER.get(architecture, ()), ("F16", "F32")) == different


def test_gpt_oss_files_are_the_moe_mix():
    """The published MXFP4 files of gpt-oss follow MXFP4_MOE: experts in MXFP4, other matrices in Q8_0, the rest in 32 bits."""
    kinds: dict[str, set[str]] = {"experts": set(), "matrix": set(), "rest": set()}
    for name, shape, kind in ghost("gpt-oss-20b-MXFP4").tensors:
        matrix = len(shape) > 1 and "gate_inp" not in name and "bias" not in name
        kinds["experts" if "exps.weight" in name else "matrix" if matrix else "rest"].add(kind)
    assert kinds == {"experts": {"MXFP4"}, "matrix": {"Q8_0"}, "rest": {"F32"}}


def test_float_mixes_are_what_the_converter_writes():
    """F16, BF16 and F32 need no quantiser: vectors, norms and routers stay in 32 bits."""
    tensors = [
        Tensor("token_embd.weight", (64, 100)),
        Tensor("blk.0.attn_norm.weight", (64,)),
        Tensor("blk.0.ffn_gate_inp.weight", (64, 4)),
        Tensor("blk.0.ffn_down_exps.weight", (32, 64, 4)),
        Tensor("blk.0.ssm_a", (1, 8)),
        Tensor("blk.0.attn_q.bias", (64,)),
    ]
    facts = MixFacts("qwen3moe", 4, 2, 1, 4)
    for name in ("F16", "BF16"):
        assert (name, "F32", "F32", name, "F32", "F32") == assign(tensors, name, facts)
    assert assign(tensors, "F32", facts) == ("F32",) * 6


def test_requantising_keeps_what_the_quantiser_keeps():
    """A file that is already quantised changes only where the quantiser may change it."""
    tensors = [Tensor("token_embd.weight", (256, 9), "Q4_K"), Tensor("blk.0.ffn_gate_inp.weight", (256, 4), "BF16")]
    assert assign(tensors, "Q8_0", MixFacts("qwen3moe", 4, 2, 1, 4)) == ("Q8_0", "BF16")
    assert assign(tensors, "F16", MixFacts("qwen3moe", 4, 2, 1, 4)) == ("F16", "BF16")


def test_answers_come_in_the_order_asked():
    """Types belong to the tensors as given, whatever order the quantiser walks them in."""
    tensors = [Tensor(f"blk.{i}.ffn_down.weight", (256, 4)) for i in range(16)]
    facts = MixFacts("llama", 4, 2, 16)
    assert tuple(reversed(assign(tensors, "Q4_K_M", facts))) == assign(tensors[::-1], "Q4_K_M", facts)
    # Blocks are walked by number, not as text: 10 after 9.
    assert sorted([10, 2, 15, 9, 1, 0], key=lambda i: quantiser_order(f"blk.{i}.ffn_down.weight")) == [0, 1, 2, 9, 10, 15]


def test_names_and_aliases():
    """Any case, llama-quantize's own aliases, and a hint for what is neither."""
    assert tuple(mix(n).name for n in ("q4_k_m", "Q4_K", "q3_k", "iq4_xs")) == ("Q4_K_M", "Q4_K_M", "Q3_K_M", "IQ4_XS")
    with pytest.raises(NotFound) as error:
        mix("Q4_KM")
    assert "Q4_K_M" in error.value.hint


def test_which_mixes_need_an_importance_matrix():
    """llama-quantize works without one, except for the mixes with tensors below about three bits."""
    needing = {name for name, chosen in mixes().items() if chosen.needs_importance}
    assert {"Q2_K_S", "IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M", "IQ3_XXS", "IQ3_XS"} == needing
