"""Shrinking: shapes that stay shapes, bytes counted by hand, and combinations that add up."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sizeup
from sizeup.engines.llamacpp.tensors import file_tensors, gguf_tensors
from sizeup.errors import UserError
from sizeup.figure import STEPS, leaf, plain
from sizeup.ghost.write import write_sparse
from sizeup.model import ModelSpec, Tensor
from sizeup.quant import quant
from sizeup.readers.config import spec_from_config
from sizeup.shrinking import cache, depth, experts, heads, low_rank, sharing, sparse, vocabulary, width
from sizeup.shrinking.form import Form, published, quantised
from sizeup.shrinking.steps import Asked, applied, steps
from sizeup.shrinking.why import stored_figure

DENSE, WINDOWED, ROUTED, LATENT = "Qwen/Qwen3-8B", "google/gemma-3-1b-it", "Qwen/Qwen3-30B-A3B", "deepseek-ai/DeepSeek-V3"

SHAPES: dict[str, tuple[str, Callable[[ModelSpec], ModelSpec]]] = {
    "depth": (DENSE, lambda model: depth.fewer_layers(model, 27)),
    "depth of a pattern": (WINDOWED, lambda model: depth.fewer_layers(model, 20)),
    "depth behind dense layers": (LATENT, lambda model: depth.fewer_layers(model, 40)),
    "hidden": (DENSE, lambda model: width.narrower(model, 3072)),
    "hidden of latent attention": (LATENT, lambda model: width.narrower(model, 6144)),
    "inner": (WINDOWED, lambda model: width.thinner(model, 4096)),
    "inner of experts": (ROUTED, lambda model: width.thinner(model, 512)),
    "heads in whole groups": (DENSE, lambda model: heads.fewer_heads(model, 24)),
    "heads in smaller groups": (DENSE, lambda model: heads.fewer_heads(model, 16)),
    "heads of latent attention": (LATENT, lambda model: heads.fewer_heads(model, 64)),
    "keys and values": (DENSE, lambda model: heads.fewer_kv_heads(model, 2)),
    "experts": (ROUTED, lambda model: experts.fewer_experts(model, 96)),
    "experts in groups": (LATENT, lambda model: experts.fewer_experts(model, 128)),
    "active experts": (ROUTED, lambda model: experts.fewer_active(model, 4)),
    "vocabulary": (WINDOWED, lambda model: vocabulary.fewer_tokens(model, 64_000)),
    "tied": (DENSE, vocabulary.tied),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_shrunk_model_is_a_model(name: str) -> None:
    """Law: the layers count what the tensors count, and the changed config read anew describes the very same layers."""
    model, change = sizeup.read(SHAPES[name][0]), SHAPES[name][1]
    small = change(model)
    assert small.parameters == sum(tensor.elements for tensor in gguf_tensors(small, "F16")) - table_elements(small)
    again = spec_from_config(small.config, small.name)
    assert {group.block: group.positions for group in again.groups} == {group.block: group.positions for group in small.groups}
    assert (again.embedding, again.head, again.hidden, again.vocabulary) == (small.embedding, small.head, small.hidden, small.vocabulary)
    assert small.parameters <= model.parameters
    assert small.active_parameters < model.active_parameters or name.startswith("experts") or name == "tied"


def table_elements(model: ModelSpec) -> int:
    """What a file holds beside the model's own weights: tables that the converter computes."""
    return sum(tensor.elements for tensor in gguf_tensors(model, "F16") if "rope_" in tensor.name)


def test_deep_layers_go_and_the_last_stays() -> None:
    """Of 28 layers of one kind 21 are left, the last one with them; of a pattern every kind keeps its place."""
    model = sizeup.read(WINDOWED)
    small = depth.fewer_layers(model, 20)
    windows = [part.window for _, block in sorted_blocks(small) for part in block.mixers]
    assert windows == [part.window for _, block in sorted_blocks(model) for part in block.mixers][:20]


def sorted_blocks(model: ModelSpec) -> list:  # type: ignore[type-arg]
    from sizeup.engines.llamacpp.tensors import blocks

    return blocks(model)


def test_pairs_share_keys_and_values() -> None:
    """Every second layer of a kind keeps nothing; layers with a window do not share with those without."""
    model = sizeup.read("google/gemma-3-4b-it")
    small = cache.shared_keys(model, 2)
    kept = dict.fromkeys((0, 1024), 0)
    for group in small.groups:
        for part in group.block.mixers:
            kept[part.window] += group.layers * part.caches  # type: ignore[attr-defined]
    assert kept == {1024: 15, 0: 3}


REFUSED = {
    (DENSE, "experts", 4): "Qwen/Qwen3-8B has no experts that --experts could leave out: every weight serves every token.",
    (DENSE, "heads", 7): "7 query heads cannot share 8 key and value heads of Qwen/Qwen3-8B evenly.",
    (DENSE, "kv_heads", 3): "32 query heads cannot share 3 key and value heads evenly.",
    (DENSE, "layers", 36): "--layers 36 is not fewer than the 36 layers that there are.",
    (WINDOWED, "layers", 23): "Kinds of layers of google/gemma-3-1b-it repeat every 6, so 3 of 26 cannot go without breaking their order.",
    (ROUTED, "experts", 4): "A token of Qwen/Qwen3-30B-A3B uses 8 experts, more than 4.",
    (LATENT, "experts", 100): "100 experts do not divide into the 8 groups that deepseek-ai/DeepSeek-V3 routes by.",
    (WINDOWED, "tie", 1): "google/gemma-3-1b-it already uses its token embedding as its output projection.",
    (DENSE, "quant", "F32"): "Qwen/Qwen3-8B takes 30.5 GiB as F32 and 15.3 GiB as it is.",
    ("state-spaces/mamba-130m-hf", "kv_type", "q8_0"): "state-spaces/mamba-130m-hf keeps no keys and values.",
    (DENSE, "kv_type", "f32"): "A cache of f32 is no smaller than one of f16.",
    (DENSE, "sparsity", "half"): "“half” is neither a share of weights nor the pattern 2:4.",
    (DENSE, "share_layers", 99): "--share-layers 99 shares nothing among 36 layers.",
}


@pytest.mark.parametrize(("name", "option", "value"), REFUSED)
def test_what_cannot_be_is_said(name: str, option: str, value: object) -> None:
    """One sentence with the facts that clash, and a way out."""
    form = published(sizeup.read(name))
    with pytest.raises(UserError) as caught:
        applied(form, steps(form, Asked(**{option: value}))).weight_bytes  # type: ignore[arg-type]  # noqa: B018
    assert (caught.value.message, bool(caught.value.hint)) == (REFUSED[name, option, value], True)


def test_a_rank_above_break_even_stores_more() -> None:
    """Law: at the break-even rank two factors store no more than the matrix, one rank above they do; beyond all it is refused."""
    form = published(sizeup.read("Qwen/Qwen3-0.6B"))
    for kind in low_rank.kinds(form.dense, "qwen3"):
        whole = kind.inputs * kind.outputs
        assert low_rank.low_rank_parameters(kind.inputs, kind.outputs, kind.break_even) <= whole
        assert low_rank.low_rank_parameters(kind.inputs, kind.outputs, kind.break_even + 1) > whole
    with pytest.raises(
        UserError, match=r"Matrices of rank 768 store more than what they replace: the largest that breaks even does at 768\."
    ):
        low_rank.factorised(form.dense, "qwen3", 768)


def test_low_rank_by_hand() -> None:
    """A 4096 x 12288 matrix of rank 512 is 512 x 4096 and 12288 x 512; one that would grow stays whole."""
    tensors = (Tensor("blk.0.ffn_up.weight", (4096, 12288), "F16"), Tensor("blk.0.attn_k.weight", (4096, 256), "F16"))
    found = low_rank.factorised(tensors, "llama", 512)
    assert [(tensor.name, tensor.shape) for tensor in found] == [
        ("blk.0.ffn_up.down.weight", (4096, 512)),
        ("blk.0.ffn_up.up.weight", (512, 12288)),
        ("blk.0.attn_k.weight", (4096, 256)),
    ]


def test_zeros_by_hand() -> None:
    """Of 4 x 1024 16-bit values half: 4,096 bytes of values; a bit a place, two bits a value, or two bytes a value and five pointers."""
    tensor, kind = Tensor("blk.0.ffn_up.weight", (1024, 4), "F16"), quant("F16")
    assert sparse.bitmap_bytes(4096, 2048, kind) == 4096 + 512
    assert sparse.csr_bytes(2048, 4, 2, kind) == 4096 + 4096 + 20
    assert sparse.two_four_bytes(4096, kind) == 4096 + 512
    assert sparse.encoded_bytes(tensor, 0.5) == 4608
    assert sparse.encoded_bytes(tensor, 0.99) == 2 * 41 + 41 * 2 + 20
    assert sparse.encoded_bytes(tensor, 0.01) == tensor.bytes
    assert sparse.encoded_bytes(replace(tensor, shape=(1023, 4)), "2:4") == 1023 * 4 * 2
    # 9/16 of 16 bits: half, and an eighth of the places in bytes.
    assert sparse.encoded_bytes(tensor, "2:4") * 16 == tensor.bytes * 9


def test_shared_layers_are_stored_once() -> None:
    """Pairs of 28 equal layers store 14, all of them one; the rest of the model stays."""
    model = sizeup.read("Qwen/Qwen3-0.6B")
    whole = Form(model, "F16")
    block = sum(tensor.bytes for tensor in whole.dense if tensor.name.startswith("blk.0."))
    assert whole.weight_bytes - replace(whole, shared=2).weight_bytes == 14 * block
    assert whole.weight_bytes - replace(whole, shared="all").weight_bytes == 27 * block
    assert len(sharing.repeated(sizeup.read(WINDOWED), "all")) == 24


def test_adapters_beside_one_base() -> None:
    """A LoRA of rank r on an m x n matrix has r(m + n) weights of two bytes."""
    form = Form(sizeup.read("Qwen/Qwen3-0.6B"), "F16", adapters=3, adapter_rank=8)
    sides = [(shape[0] + shape[1]) for name, shape in file_tensors(form.model) if name.startswith("blk.") and len(shape) == 2]
    assert form.adapter_parameters == 8 * sum(sides)
    assert form.stored_bytes == form.weight_bytes + 3 * 2 * 8 * sum(sides)


SMALL = spec_from_config(
    {
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 1024, "intermediate_size": 3072, "vocab_size": 4096,
        "num_hidden_layers": 9, "num_attention_heads": 16, "num_key_value_heads": 8, "max_position_embeddings": 8192,
    },
    "small",
)  # fmt: skip
WISHES = st.builds(
    Asked,
    layers=st.one_of(st.none(), st.integers(2, 8)),
    hidden=st.sampled_from([None, 256, 512, 768]),
    inner=st.sampled_from([None, 256, 1024, 2816]),
    heads=st.sampled_from([None, 8, 12]),
    kv_heads=st.sampled_from([None, 1, 2]),
    vocabulary=st.sampled_from([None, 1, 1000, 4095]),
    tie=st.booleans(),
    quant=st.sampled_from([None, "Q8_0", "Q4_K_M"]),
    kv_type=st.sampled_from([None, "q8_0", "q8_0/q4_0"]),
    share_layers=st.sampled_from([None, 2, "all"]),
    rank=st.sampled_from([None, 8, 100]),
    sparsity=st.sampled_from([None, "0.3", "70%", "2:4"]),
    adapters=st.sampled_from([None, 3]),
)


@settings(max_examples=60, deadline=None)
@given(WISHES)
def test_shrinking_never_stores_more(wish: Asked) -> None:
    """Law: whatever is combined stores no more than the model, counts as many weights as its tensors, and explains every byte."""
    before = published(SMALL)
    after = applied(before, steps(before, wish))
    assert after.weight_bytes <= before.weight_bytes
    assert after.parameters <= before.parameters
    assert after.model.parameters == sum(tensor.elements for tensor in after.dense)
    assert int(plain(stored_figure(after))) == after.stored_bytes


ALONE: dict[str, Asked] = {
    "layers": Asked(layers=32),
    "inner": Asked(inner=512),
    "heads": Asked(heads=24),
    "experts": Asked(experts=64),
    "vocabulary": Asked(vocabulary=50_000),
    "hidden": Asked(hidden=1536),
    "zeros": Asked(sparsity="0.5"),
    "quant": Asked(quant="Q8_0"),
}


@pytest.mark.parametrize(("one", "other"), tuple(itertools.combinations(ALONE, 2)))
def test_techniques_that_know_nothing_of_each_other_commute(one: str, other: str) -> None:
    """Law: either order makes the same layers and the same bytes."""
    form = published(sizeup.read(ROUTED))
    first, second = steps(form, ALONE[one]), steps(form, ALONE[other])
    there, back = applied(form, [*first, *second]), applied(form, [*second, *first])
    assert set(there.model.groups) == set(back.model.groups)
    assert there.weight_bytes == back.weight_bytes


def test_a_file_shrinks_like_its_config(tmp_path: Path) -> None:
    """Law: the tensors and layers of a shrunk file are those of the shrunk config in the same mix; quantised before or after pruning."""
    path = tmp_path / "whole.gguf"
    write_sparse(path, SMALL, gguf_tensors(SMALL, "F16"))
    file = published(sizeup.read(str(path)))
    pruned = Asked(layers=6, hidden=512, inner=1024, heads=8, vocabulary=1000)
    config = Form(applied(published(SMALL), steps(published(SMALL), pruned)).model, "Q8_0")
    shapes = {tensor.name: (tensor.shape, tensor.type) for tensor in config.dense}
    after = quantised(applied(file, steps(file, pruned)), "Q8_0")
    before = quantised(file, "Q8_0")
    before = applied(before, steps(before, pruned))
    for form in (before, after):
        assert {tensor.name: (tensor.shape, tensor.type) for tensor in form.dense} == shapes
        assert form.model.parameters == config.model.parameters
    again = tmp_path / "small.gguf"
    write_sparse(again, after.model, after.dense)
    read = sizeup.read(str(again))
    assert (set(read.groups), read.parameters) == (set(after.model.groups), after.model.parameters)


FORMULAS = {
    "low_rank_parameters": 3,
    "break_even_rank": 2,
    "adapters_bytes": 3,
    "copies_bytes": 2,
    "healing_flops": 3,
}


@pytest.mark.parametrize("name", FORMULAS)
@settings(max_examples=20, deadline=None)
@given(numbers=st.lists(st.integers(1, 10**5), min_size=3, max_size=3))
def test_int_figure_and_column_agree(name: str, numbers: list[int]) -> None:
    """Law: int == Figure == column for every formula of shrinking."""
    numbers = numbers[: FORMULAS[name]]
    expected = STEPS[name](*numbers)
    assert plain(STEPS[name](*(leaf(str(i), n) for i, n in enumerate(numbers)))) == expected
    assert STEPS[name](*(numpy.array([n]) for n in numbers)).tolist() == [expected]


@pytest.mark.parametrize("kind", ["F16", "Q8_0", "Q4_K"])
@settings(max_examples=20, deadline=None)
@given(elements=st.integers(1, 10**6), share=st.floats(0, 1), rows=st.integers(1, 1000))
def test_encodings_agree(kind: str, elements: int, share: float, rows: int) -> None:
    """Law: the same for what is left of a matrix, whatever format its values are in."""
    kept, format = int(elements * share), quant(kind)
    for formula, numbers in (("two_four_bytes", (elements,)), ("bitmap_bytes", (elements, kept)), ("csr_bytes", (kept, rows, 2))):
        expected = STEPS[formula](*numbers, format)
        assert plain(STEPS[formula](*(leaf(str(i), n) for i, n in enumerate(numbers)), format)) == expected
        assert STEPS[formula](*(numpy.array([n]) for n in numbers), format).tolist() == [expected]
