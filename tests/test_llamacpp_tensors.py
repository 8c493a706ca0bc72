"""The tensors that a config implies, against the headers of real files: names, shapes and types."""

from __future__ import annotations

import pytest

import sizeup
from sizeup.engines.llamacpp.tensors import gguf_tensors
from sizeup.errors import SizeupError
from sizeup.model import ModelSpec, Tensor
from tests import ghosts, truth

DIFFERENT = {
    "Phi-2-Q4_K_M": "the header fuses query, key and value, as old conversions did; today's keep them apart as the checkpoint does",
    "Qwen3-Next-80B-A3B-Q4_K_M": "the header holds ssm_in beside the matrices that replaced it",
    "Llama-3.3-70B-Q4_K_M": "the catalogue's config says nothing of rope scaling, so that 64 rotation factors (256 bytes) are missing",
}
"""Headers whose list is not what the converter writes for the published config, with the reason."""


def published(name: str) -> ModelSpec | None:
    """The catalogue's model of a header's name; None when the catalogue has none or several."""
    try:
        return sizeup.read(name.rpartition("-")[0])
    except SizeupError:
        return None


KNOWN = [name for name in ghosts.NAMES if name not in DIFFERENT and published(name) is not None]


def listed(tensors: tuple[Tensor, ...]) -> dict[str, tuple[tuple[int, ...], str]]:
    """Shape and type by name; a last side of 1 is the same vector with or without it."""
    return {t.name: (t.shape[:-1] if len(t.shape) > 1 and t.shape[-1] == 1 else t.shape, str(t.type)) for t in tensors}


def test_most_headers_are_of_the_catalogue() -> None:
    """The comparison below is about nearly all of them."""
    assert len(KNOWN) >= 80


@pytest.mark.parametrize("name", KNOWN)
def test_a_config_implies_the_files_tensors(name: str) -> None:
    """Law: from the config alone, with the mix of the file's name, the very list of the file: nothing more, nothing less."""
    spec = published(name)
    assert spec is not None
    assert listed(gguf_tensors(spec, name.rpartition("-")[2])) == listed(truth.spec(name).tensors)


@pytest.mark.parametrize("name", DIFFERENT)
def test_headers_that_differ_still_differ(name: str) -> None:
    """A difference that is gone must leave the table."""
    spec = published(name)
    assert spec is not None
    assert listed(gguf_tensors(spec, name.rpartition("-")[2])) != listed(truth.spec(name).tensors)
