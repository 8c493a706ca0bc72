"""The embedded engine's version: what was not checked is not asked, and a shifted layout is found before it is used."""

from __future__ import annotations

import ctypes
import importlib.metadata

import pytest

from sizeup.engines.llamacpp import library
from sizeup.errors import Unavailable
from sizeup.ghost.prove import prove
from tests.test_prove import plan_of


def test_another_engine_version_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release whose layouts nobody checked is refused in one sentence, before anything of it is loaded."""
    monkeypatch.setattr(library, "_version", lambda: "2026.9.11063")
    with pytest.raises(Unavailable, match=r"xllamacpp 2026\.9\.11063, which sizeup has not checked") as caught:
        prove(plan_of("Qwen/Qwen3-0.6B"))
    assert library.KNOWN_VERSIONS[-1] in caught.value.hint


@pytest.mark.engine
def test_the_version_is_the_one_that_is_installed() -> None:
    """What the folder of its metadata is called and what the metadata says are one."""
    assert library._version() == importlib.metadata.version("xllamacpp")


@pytest.mark.engine
@pytest.mark.parametrize("shift", ["n_batch", "rope_freq_base", "yarn_orig_ctx", "embeddings"])
def test_a_shifted_layout_is_found(shift: str) -> None:
    """An engine with one field more than we know: a default behind it reads wrong."""

    class Shifted(ctypes.Structure):
        _fields_ = [field for field in library.ContextParams._fields_ if field[0] != shift]

    raw = bytes(library.Library().llama_context_default_params())
    seen = Shifted.from_buffer_copy(raw[: ctypes.sizeof(Shifted)])
    wrong = [name for name, value in library._CONTEXT_DEFAULTS.items() if name != shift and getattr(seen, name) != value]
    assert wrong


@pytest.mark.engine
def test_a_default_that_differs_stops_a_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """One field that reads unlike it should is enough; the sentence names it."""
    monkeypatch.setitem(library._CONTEXT_DEFAULTS, "n_ubatch", 513)
    with pytest.raises(Unavailable, match=r"another struct layout.*ContextParams\.n_ubatch reads 512, not 513"):
        library.Library()
