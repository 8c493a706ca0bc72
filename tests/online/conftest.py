"""A hub of the test's own, and an environment in which everything leads to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sizeup.ghost import formats, keep
from sizeup.net import waits
from sizeup.readers import read
from tests.online.hub import Hub, hub
from tests.online.model import CONFIG

PROXIES = [name for plain in ("http_proxy", "https_proxy", "all_proxy") for name in (plain, plain.upper())]
ELSEWHERE = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "SIZEUP_OFFLINE")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """A hub, a registry and their object storage on loopback ports; the product is led there by its documented variables."""
    for name in (*PROXIES, *ELSEWHERE, "OLLAMA_MODELS", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf-home"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with hub() as found:
        monkeypatch.setenv("HF_ENDPOINT", found.address)
        monkeypatch.setenv("SIZEUP_OLLAMA_REGISTRY", found.address)
        yield found


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between tries last hundredths of a second."""
    monkeypatch.setattr(waits.Patience, "backoff", lambda self, failures: 0.01)


@pytest.fixture(scope="session")
def gguf_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A whole GGUF file of some MiB with a true header."""
    folder = tmp_path_factory.mktemp("gguf")
    (folder / "config.json").write_text(CONFIG)
    made = formats.gguf(read(folder), "Q8_0")
    keep.keep(made, folder / "made", None)
    (path,) = (folder / "made").glob("*.gguf")
    content = bytearray(path.read_bytes())
    # Weights of a ghost are holes; these differ from byte to byte, so that a part in the wrong place shows.
    start = len(content) // 2
    content[start:] = (b"".join(number.to_bytes(4, "little") for number in range(len(content) // 4 + 1)))[: len(content) - start]
    return bytes(content)
