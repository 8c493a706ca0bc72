"""A config with the safetensors files beside it: the config says the layers, the headers say what is stored, and both are compared."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..layers import count
from ..model import ModelSpec, Tensor
from .safetensors import INDEX_SUFFIX, SHARD_NAME, Header, read_headers

PACKED = ("U8", "I8", "U16", "I16", "U32", "I32", "F4", "F6_E2M3", "F6_E3M2")
"""Types that hold codes of several weights, or of one, where matrices are quantised."""
BUFFERS = re.compile(
    r"(^|\.)(position_ids|inv_freq|original_inv_freq|masked_bias|rotary_emb\.\w+|attn\.bias|attention\.bias|attention\.masked_bias"
    r"|num_batches_tracked|relative_position_index|tid2eid)$"
)
"""Arrays that models store but compute anew: no weights."""
SCALES = re.compile(
    r"(scale|scale_inv|scale_2|scales|scale_b|absmax|quant_map|nested_absmax|nested_quant_map|qzeros|g_idx|zero_point|weight_shape"
    r"|weight_global_scale|input_global_scale|SCB|weight_format|quant_state\.\w+|_scales|biases)$"
)
"""Arrays that quantised matrices keep beside their codes."""


def weights_of(path: Path, entries: Sequence[str]) -> Path | None:
    """The file that leads to a folder's checkpoint: an index, a single file or a first shard. None without one, or with several."""
    names = sorted(name for name in entries if name.endswith((".safetensors", INDEX_SUFFIX)))
    files = [name for name in names if name.endswith(".safetensors") and not name.startswith(("adapter", "consolidated", "training_args"))]
    if not any(name.endswith(".safetensors") for name in names):
        return None
    indexes = [name for name in names if name.endswith(INDEX_SUFFIX) and not name.startswith("consolidated")]
    for preferred in (f"model{INDEX_SUFFIX}", "model.safetensors"):
        if preferred in names:
            return path / preferred
    stems = {(match["stem"], match["count"]) if (match := SHARD_NAME.match(name)) else (name, "") for name in files}
    if len(indexes) == 1:
        return path / indexes[0]
    return path / files[0] if len(stems) == 1 else None


def with_weights(spec: ModelSpec, path: Path) -> ModelSpec:
    """The config's model with what its files store. Raises NotFound or Unreadable for a checkpoint that is not whole."""
    return with_headers(spec, read_headers(path), str(path))


def with_headers(spec: ModelSpec, headers: Sequence[Header], path: str | None) -> ModelSpec:
    """The config's model with what these headers say is stored; `path` leads to the files, None where they are not on this disk."""
    tensors = tuple(tensor for header in headers for tensor in header.tensors)
    odd = [warning for header in headers for warning in header.warnings]
    said, packed = difference(spec, tensors)
    return replace(
        spec,
        tensors=tensors,
        stored="safetensors",
        file_bytes=tuple(header.file_bytes for header in headers),
        data_start=tuple(header.data_start for header in headers),
        path=path,
        warnings=(*spec.warnings, *odd[:4], *([said] if said and not packed else [])),
        notes=(*spec.notes, *([said] if packed else [])),
    )


def difference(spec: ModelSpec, tensors: Sequence[Tensor]) -> tuple[str, bool]:
    """What the files store beyond or below the layers' weights, in words ("" for nothing), and whether packing explains it.

    Not compared: buffers that are no weights, the scales of quantised matrices, a second copy of a tied head.
    """
    kept = [tensor for tensor in tensors if not BUFFERS.search(tensor.name)]
    codes = [tensor for tensor in kept if tensor.type in PACKED]
    if codes or any(tensor.name.endswith("quant_state") for tensor in kept):
        whole = sum(tensor.bytes for tensor in kept)
        types = ", ".join(dict.fromkeys(str(tensor.type) for tensor in codes))
        return f"the files hold quantised weights packed into {types}: {whole:,} bytes for {spec.parameters:,} weights", True
    # What is called a scale may be a weight where nothing is quantised.
    scales = sum(tensor.elements for tensor in kept if SCALES.search(tensor.name))
    stored = sum(tensor.elements for tensor in kept) - scales
    head = next((tensor.elements for tensor in kept if tensor.name.endswith("lm_head.weight")), 0)
    drafts = sum(group.layers * int(group.block.parameters(spec.hidden)) for group in spec.draft_blocks)
    unused = sum(
        group.layers * (int(count(group.block.stored(spec.hidden))) - int(group.block.parameters(spec.hidden))) for group in spec.groups
    )
    beyond = stored - spec.parameters
    table = spec.vocabulary * spec.hidden
    # Each of these is in a checkpoint or is not: what is left over after none of them is a difference.
    expected = {a + b + c for a in (0, head if spec.head.tied else 0) for b in (0, unused) for c in (0, drafts, drafts + 2 * table)}
    if beyond in expected or beyond + scales in expected:
        return "", False
    return (
        f"the files store {stored:,} weights and the layers count {spec.parameters:,}: {beyond:+,} that the config does not explain",
        False,
    )
