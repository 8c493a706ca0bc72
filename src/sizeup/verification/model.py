"""Which model a log is about: by the names that it gives, taken only where the shape that it prints agrees."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sizeup.errors import SizeupError
from sizeup.logs import LoggedModel
from sizeup.mixes import mixes
from sizeup.model import ModelSpec

_SHARD = re.compile(r"-\d{5}-of-\d{5}$")
_MIX = re.compile(r"[-.](?:UD-)?((?:I?Q\d\w*|F16|BF16|F32|MXFP4\w*|TQ\d_\d))$", re.IGNORECASE)
NEAR = 0.03
"""How far the number of weights may lie from the log's: it is printed with two decimals and leaves out towers."""


def found(logged: LoggedModel) -> ModelSpec | None:
    """The catalogue's model that the log names; None where it names none, or one of another shape."""
    from sizeup.readers import read_published

    for name in dict.fromkeys(names(logged)):
        try:
            spec = read_published(name)
        except SizeupError:
            continue
        if agrees(spec, logged):
            return spec
    return None


def names(logged: LoggedModel) -> Iterator[str]:
    """What the model may be called, the surest first."""
    if logged.name:
        yield logged.name
    if logged.file:
        yield stem(logged.file)
        yield stem(logged.file).replace("_", "/", 1)


def stem(file: str) -> str:
    """A file's name without its ending, shard and mix."""
    return _MIX.sub("", _SHARD.sub("", file.removesuffix(".gguf")))


def agrees(spec: ModelSpec, logged: LoggedModel) -> bool:
    """Whether a model has the blocks, the width and about the weights that the log prints."""
    if logged.layers is not None and logged.layers not in (spec.layers, spec.layers + len(spec.draft_blocks)):
        return False
    if logged.hidden is not None and logged.hidden != spec.hidden:
        return False
    return logged.parameters is None or bool(spec.towers) or abs(spec.parameters - logged.parameters) <= NEAR * logged.parameters


def quant(logged: LoggedModel) -> str | None:
    """The mix that the log names, of those that are known; by the file's name when it prints none."""
    known = {one.upper(): one for one in mixes()}
    for said in (logged.quant, *(match[1] for match in [_MIX.search(_SHARD.sub("", (logged.file or "").removesuffix(".gguf")))] if match)):
        name = re.sub(r"_XL$", "", said.upper()) if said else ""
        if said and said.upper() in known:
            return known[said.upper()]
        if name in known and name != (said or "").upper():
            return None  # a recipe of somebody's own: nothing of ours says its bytes
    return None
