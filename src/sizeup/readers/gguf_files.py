"""The GGUF models among a repository's files: which quantisation each is, by its name, and which parts belong together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sizeup.errors import NotFound, close_names

from .gguf import SPLIT_NAME
from .hub_list import RepoFile, Repository

QUANT = re.compile(
    r"(?<![a-z0-9])((?:ud-)?(?:i?q[1-9](?:_[a-z0-9]+)*|tq[12]_0|bf16|fp?16|fp?32|mxfp4(?:_moe)?|nvfp4))(?![a-z0-9])", re.IGNORECASE
)
SPELLINGS = {"FP16": "F16", "FP32": "F32", "MXFP4": "MXFP4_MOE"}
BESIDE = ("mmproj", "imatrix", "ggml-vocab", "lora")
"""Beginnings of files that are GGUF and no language model."""
MOST_PARTS = 1000
USUAL = ("Q4_K_M", "Q4_K_S", "Q4_0", "MXFP4_MOE", "Q5_K_M", "Q8_0")
"""What to read when nobody says which: the one that most people take first, as llama.cpp and Ollama do."""


@dataclass(frozen=True, slots=True)
class GgufModel:
    """One model in a repository: a file, or the parts of a split one in order."""

    quant: str
    """As the file's name says; "" when it says nothing."""
    files: tuple[RepoFile, ...]

    @property
    def bytes(self) -> int | None:
        """Of all parts; None when the list does not say."""
        sizes = [file.bytes for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)


def quant_of(path: str) -> str:
    """The quantisation that a file's name, or else its folder's, says; "" when neither does."""
    folder, _, name = path.rpartition("/")
    split = SPLIT_NAME.match(name)
    stem = split["stem"] if split else name.removesuffix(".gguf")
    for text in (stem, folder):
        if found := QUANT.findall(text):
            plain = str(found[-1]).upper()
            return SPELLINGS.get(plain, plain)
    return ""


def models(repository: Repository) -> list[GgufModel]:
    """Every whole language model, in the order of the list; a split one with a part missing is left out."""
    whole, sets = _sorted(repository)
    return whole + [
        GgufModel(quant_of(found[1].path), tuple(found[number] for number in range(1, one.parts + 1)))
        for one, found in sets.items()
        if len(found) == one.parts
    ]


class _Set(NamedTuple):
    """What the parts of one model share."""

    folder: str
    stem: str
    parts: int

    def part(self, number: int) -> str:
        """The path of a part."""
        return f"{self.folder}/" * bool(self.folder) + f"{self.stem}-{number:05}-of-{self.parts:05}.gguf"


def _sorted(repository: Repository) -> tuple[list[GgufModel], dict[_Set, dict[int, RepoFile]]]:
    """The models of one file, and of each split one the parts that are there."""
    whole: list[GgufModel] = []
    sets: dict[_Set, dict[int, RepoFile]] = {}
    for file in repository.files:
        if not file.path.lower().endswith(".gguf") or file.name.lower().startswith(BESIDE) or "mmproj" in file.name.lower():
            continue
        split = SPLIT_NAME.match(file.name)
        if split is None:
            whole.append(GgufModel(quant_of(file.path), (file,)))
            continue
        one, number = _Set(file.path.rpartition("/")[0], split["stem"], int(split["count"])), int(split["number"])
        if 1 <= number <= one.parts <= MOST_PARTS:
            sets.setdefault(one, {})[number] = file
    return whole, sets


def lacking(repository: Repository, quant: str | None = None, file: str | None = None) -> NotFound | None:
    """The error for a split model of this quantisation or file whose parts are not all there, with the first that is missing."""
    for one, found in _sorted(repository)[1].items():
        path = next(iter(found.values())).path
        if quant is not None and quant_of(path).upper() != SPELLINGS.get(quant.upper(), quant.upper()):
            continue
        if file is not None and file not in [one.part(number) for number in range(1, one.parts + 1)]:
            continue
        number = next((number for number in range(1, one.parts + 1) if number not in found), None)
        if number is not None:
            return NotFound(f"Part {number} of {one.parts} is missing: {one.part(number)}.", "another revision of the repository")
    return None


def chosen(repository: Repository, quant: str | None, file: str | None = None) -> GgufModel:
    """The model of this file or quantisation; unsaid, the usual one. Raises NotFound with what is there."""
    found = models(repository)
    if file is not None:
        for model in found:
            if any(part.path == file for part in model.files):
                return model
        raise lacking(repository, file=file) or NotFound(
            f"{repository.id} has no whole model in “{file[:200]}”.", f"{repository.id}:QUANT, or {repository.id} alone"
        )
    if quant is not None:
        for model in found:
            if model.quant.upper() == SPELLINGS.get(quant.upper(), quant.upper()):
                return model
        raise lacking(repository, quant) or missing(repository, quant, [model.quant for model in found])
    for usual in USUAL:
        for model in found:
            if model.quant == usual:
                return model
    if not found:
        raise lacking(repository) or NotFound(f"{repository.id} holds no GGUF model.", "a repository whose name ends in -GGUF")
    return found[0]


def missing(repository: Repository, quant: str, there: Sequence[str]) -> NotFound:
    """The error for a quantisation that a repository lacks."""
    known = list(dict.fromkeys(name for name in there if name))
    near = close_names(quant.upper(), known, 4, 0.4) or known[:6]
    return NotFound(f"{repository.id} has no {quant} file.", ", ".join(near) or "a repository whose name ends in -GGUF")


def projector(repository: Repository) -> RepoFile | None:
    """The vision part that belongs to a repository's models, F16 first; None without one."""
    found = [file for file in repository.files if file.name.lower().endswith(".gguf") and "mmproj" in file.name.lower()]
    order = ("F16", "BF16", "Q8_0", "F32")
    return min(
        found, key=lambda file: (order.index(quant) if (quant := quant_of(file.path)) in order else len(order), file.path), default=None
    )
