"""Made-up weights: numbers of a weight's size in every format, in a file that is whole."""

from __future__ import annotations

import numpy as np
import pytest
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFReader
from gguf.quants import dequantize

import sizeup
from sizeup.engines.llamacpp import ENGINE
from sizeup.errors import Unavailable
from sizeup.facts import data_json
from sizeup.ghost import disk, room
from sizeup.ghost.fill import filling, pattern
from sizeup.model import Tensor
from tests.plans import plan_of

DEQUANTIZED = [kind for kind in data_json("fillings.json")["scales"] if kind not in ("Q1_0", "Q2_0")]
"""Formats that the gguf package can turn into numbers."""


@pytest.mark.parametrize("kind", DEQUANTIZED)
def test_made_up_weights_are_numbers_of_a_weights_size(kind: str) -> None:
    """As the gguf package reads them: all finite, about zero on average, neither tiny nor large."""
    raw = np.frombuffer(pattern(kind), np.uint8)
    block = GGMLQuantizationType[kind]
    values = dequantize(raw[: GGML_QUANT_SIZES[block][1] * 1000], block)
    assert np.isfinite(values).all()
    assert abs(values.mean()) < 0.02
    assert 0.005 < values.std() < 0.25


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16"])
def test_floats_are_normal_numbers(kind: str) -> None:
    """No zero, no denormal, nothing infinite."""
    raw = pattern(kind)[:40000]
    values = np.frombuffer(raw, {"F32": np.float32, "F16": np.float16, "BF16": np.uint16}[kind])
    if kind == "BF16":
        values = (values.astype(np.uint32) << 16).view(np.float32)
    assert np.isfinite(values).all()
    assert np.abs(values).min() > 1e-4


def test_every_mix_can_be_filled() -> None:
    """Every format that a mix of ours gives to any tensor has a filling; of one without, the sentence names it."""
    from sizeup.engines.llamacpp.tensors import gguf_tensors

    for name, mixes in (("Qwen/Qwen3-8B", data_json("recommended_mixes.json")["order"]), ("openai/gpt-oss-20b", ["MXFP4_MOE"])):
        for mix in mixes:
            for tensor in gguf_tensors(sizeup.read(name), mix):
                assert next(filling(tensor))
    with pytest.raises(Unavailable, match="IQ1_M"):
        list(filling(Tensor("blk.0.ffn_up.weight", (256, 4), "IQ1_M")))


def test_a_filled_ghost_is_a_whole_file() -> None:
    """The gguf package reads every tensor from it; vectors that multiply are ones; afterwards nothing is left."""
    plan = plan_of()
    tensors = ENGINE.tensors(plan.model, "Q4_K_M")
    with disk.filled(plan.model, tensors) as (path,):
        reader = GGUFReader(path)
        stored = {t.name: t for t in reader.tensors}
        assert set(stored) == {t.name for t in tensors}
        assert (stored["blk.0.attn_norm.weight"].data == 1).all()
        assert stored["blk.3.ffn_up.weight"].data.any()
        del reader, stored
    assert list(room.folder().iterdir()) == []


def test_a_disk_that_is_too_small_is_never_filled() -> None:
    """What would not fit is refused before a byte is written, with both figures."""
    plan = plan_of()
    with (
        pytest.raises(Unavailable, match=r"takes .* of disk, and 1\.00 MiB may be used"),
        disk.filled(plan.model, ENGINE.tensors(plan.model, "Q4_K_M"), limit=1 << 20),
    ):
        pass
    assert list(room.folder().iterdir()) == []
