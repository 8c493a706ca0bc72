"""What is already on a machine: every store, each file once, what is broken, what could go."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from sizeup.errors import NotFound, Unavailable, UserError
from sizeup.home import data_dir
from sizeup.installed.entry import STORES
from sizeup.installed.judged import Installed, installed
from sizeup.installed.running import running
from sizeup.probe import machine
from sizeup.servers import lmstudio, ollama
from sizeup.servers.client import Server
from tests.ghosts import unpack
from tests.program import Run
from tests.small_model import small_model
from tests.stores import hub_file, ollama_tag, replies, served

SMALL = "SmolLM2-135M-Q4_K_M"
OTHER = "SmolLM2-135M-Q8_0"


def look(home: Path, **chosen: Any) -> Installed:
    environment = {"OLLAMA_HOST": "127.0.0.1:9", **chosen.pop("environment", {})}
    return installed(machine("rtx-4090"), home=home, environment=environment, measure=False, **{"ask": False, **chosen})


def names(found: Installed) -> list[tuple[str, str]]:
    return sorted((one.entry.store, one.entry.name) for one in found.models)


@pytest.fixture
def shelves(tmp_path: Path) -> Path:
    """A home with all four stores: the same two files under five names."""
    models = tmp_path / "files"
    models.mkdir()
    small, other = unpack(SMALL, models), unpack(OTHER, models)
    home = tmp_path / "home"
    ollama_tag(home / ".ollama/models", "smollm2:135m", small)
    ollama_tag(home / ".ollama/models", "mine:latest", small)
    hub_file(home / ".cache/huggingface/hub", "org/SmolLM2-GGUF", "a" * 40, "q8.gguf", other, "main")
    studio = home / ".lmstudio/models/publisher/SmolLM2"
    studio.mkdir(parents=True)
    (studio / "SmolLM2-Q8_0.gguf").hardlink_to(other)
    cache = home / ".cache/llama.cpp"
    cache.mkdir()
    (cache / "org_SmolLM2_q4.gguf").hardlink_to(small)
    return home


def test_every_store_is_found_and_each_file_counted_once(shelves: Path, tmp_path: Path) -> None:
    """Five names of two files: five models, the bytes of two files."""
    found = look(shelves)
    assert names(found) == [
        ("hub", "org/SmolLM2-GGUF/q8.gguf"),
        ("llama.cpp", "org_SmolLM2_q4.gguf"),
        ("lmstudio", "publisher/SmolLM2/SmolLM2-Q8_0.gguf"),
        ("ollama", "mine:latest"),
        ("ollama", "smollm2:135m"),
    ]
    assert found.bytes == sum(path.stat().st_size for path in (tmp_path / "files").iterdir())
    assert (found.copies, found.leftovers, found.spare_bytes) == ((), (), 0)
    assert {one.spec.architecture for one in found.models} == {"llama"}
    assert all(one.plan is not None and one.plan.fits for one in found.models)


def test_a_second_copy_is_told_by_digest_and_by_samples(shelves: Path, tmp_path: Path) -> None:
    """A copied file takes room again: certain where both names tell one SHA-256, by samples otherwise; a file of one size only is another."""
    extra = tmp_path / "extra"
    extra.mkdir()
    source = tmp_path / "files" / unpack(SMALL, tmp_path / "files").name
    copy = extra / "copy.gguf"
    shutil.copy(source, copy)
    changed = extra / "changed.gguf"
    shutil.copy(source, changed)
    with changed.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"x")
    size = source.stat().st_size
    found = look(shelves, folders=[extra])
    assert [(len(group.files), group.certain, group.spare_bytes) for group in found.copies] == [(2, False, size)]
    assert found.spare_bytes == size
    hub_file(shelves / ".cache/huggingface/hub", "org/other", "b" * 40, "model.gguf", source, "main")
    second = shelves / "second"
    blob = ollama_tag(second, "again:latest", source)
    blob.unlink()
    shutil.copy(source, blob)
    both = look(shelves, environment={"OLLAMA_MODELS": str(second)}, stores=("ollama", "hub"))
    assert [(len(group.files), group.certain) for group in both.copies] == [(2, True)]


def test_broken_and_half_written_stores(tmp_path: Path) -> None:
    """Each kind of damage is named with its bytes and never made a model; only what nothing refers to could go."""
    home = tmp_path / "home"
    store = home / ".ollama/models"
    small = unpack(SMALL, tmp_path)
    size = small.stat().st_size
    ollama_tag(store, "short:latest", small, claimed=size + 5)
    gone = tmp_path / "gone.gguf"
    gone.write_bytes(b"x" * 10)
    ollama_tag(store, "gone:latest", gone).unlink()
    (store / "blobs" / f"sha256-{'1' * 64}").write_bytes(b"o" * 7)
    (store / "blobs" / f"sha256-{'2' * 64}-partial").write_bytes(b"h" * 3)
    hub = home / ".cache/huggingface/hub"
    hub_file(hub, "org/m", "c" * 40, "m.gguf", small, "main")
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(small.read_bytes()[:5000])
    hub_file(hub, "org/m", "d" * 40, "cut.gguf", cut)
    (hub / "models--org--m/blobs/f00.incomplete").write_bytes(b"i" * 4)
    half = home / ".lmstudio/models/p/r"
    half.mkdir(parents=True)
    (half / "downloading_r.gguf.part").write_bytes(b"l" * 6)
    (half / "broken.gguf").write_bytes(small.read_bytes()[:3000])
    found = look(home)
    assert names(found) == [("hub", "org/m/m.gguf")]
    assert sorted((one.kind, one.bytes, one.expected_bytes) for one in found.leftovers) == [
        ("half", 3, None),
        ("half", 4, None),
        ("half", 6, None),
        ("missing", 0, 10),
        ("old", 5000, None),
        ("orphan", 7, None),
        ("short", size, size + 5),
        ("unreadable", 3000, None),
    ]
    assert found.spare_bytes == 3 + 4 + 6 + 5000 + 7


@pytest.mark.parametrize("digest", ["sha256:../../../etc/passwd", "sha256:" + "g" * 64, "/etc/passwd", 5, None])
def test_a_hostile_manifest_leads_nowhere(tmp_path: Path, digest: object) -> None:
    """A digest that is none makes the manifest unreadable, and then no blob is called unused."""
    store = tmp_path / ".ollama/models"
    manifest = store / "manifests/registry.ollama.ai/library/bad/latest"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps({"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": digest, "size": 1}]}))
    (store / "blobs").mkdir()
    (store / "blobs" / f"sha256-{'3' * 64}").write_bytes(b"kept")
    found = look(tmp_path)
    assert (found.models, [(one.kind, one.name) for one in found.leftovers]) == ((), [("unreadable", "bad:latest")])


def test_split_models_and_projectors(tmp_path: Path) -> None:
    """Parts of a split file are one model, and a projector belongs to the model beside it."""
    folder = tmp_path / "models"
    folder.mkdir()
    unpack(SMALL, folder)
    (folder / "mmproj-x.gguf").write_bytes(b"GGUF" + b"\0" * 96)
    found = look(tmp_path, stores=(), folders=[folder])
    assert [(one.entry.path.name, len(one.entry.files)) for one in found.models] == [(f"{SMALL}.gguf", 2)]


def test_a_named_folder_must_be_there(tmp_path: Path) -> None:
    """A folder that is none is a mistake with a sentence."""
    with pytest.raises(NotFound):
        look(tmp_path, folders=[tmp_path / "nowhere"])


OLLAMA = {
    "/api/version": {"version": "0.12.6"},
    "/api/tags": {"models": [{"name": "smollm2:135m", "digest": "a" * 64, "size": 105_000_000, "details": {"format": "gguf"}}]},
    "/api/ps": {"models": [{"name": "smollm2:135m", "size": 300, "size_vram": 200, "context_length": 4096}]},
}
STUDIO = {
    "/api/v0/models": {
        "object": "list",
        "data": [
            {"id": "smollm2", "object": "model", "type": "llm", "quantization": "Q8_0", "state": "loaded", "max_context_length": 8192}
        ],
    }
}


def studio_home(home: Path, port: int) -> Path:
    (home / ".lmstudio/.internal").mkdir(parents=True, exist_ok=True)
    (home / ".lmstudio/.internal/http-server-config.json").write_text(json.dumps({"port": port}))
    return home


def test_servers_that_run_tell_what_is_loaded(shelves: Path) -> None:
    """Ollama's /api/ps and LM Studio's states mark the models that are in memory."""
    with served(replies(OLLAMA)) as one, served(replies(STUDIO)) as two:
        studio_home(shelves, Server(two).port)
        found = look(shelves, ask=True, environment={"OLLAMA_HOST": one})
        asked = {server.store: (server.version, server.loaded, server.device_bytes, server.problem) for server in found.running}
    assert asked == {"ollama": ("0.12.6", ("smollm2:135m",), 200, ""), "lmstudio": ("", ("smollm2",), None, "")}
    assert sorted(one.entry.store for one in found.models if one.loaded) == ["lmstudio", "ollama"]


def test_nobody_listens(tmp_path: Path) -> None:
    """No server is no problem and no row."""
    assert running(STORES, {"OLLAMA_HOST": "127.0.0.1:9"}, studio_home(tmp_path, 9)) == ()


def test_another_server_is_told(tmp_path: Path) -> None:
    """A server that is up and not the one meant: a sentence, not rows."""
    with served(replies({"/": "hello", "/api/version": {"version": "not a number"}})) as base:
        found = running(("ollama",), {"OLLAMA_HOST": base}, tmp_path)
    assert [one.problem for one in found] == [f"{base} answers, but /api/version is not what Ollama says."]


def test_another_machine_is_not_asked(tmp_path: Path) -> None:
    """OLLAMA_HOST of another machine is named and left alone."""
    found = running(("ollama",), {"OLLAMA_HOST": "192.0.2.7"}, tmp_path)
    assert [one.problem for one in found] == ["http://192.0.2.7:11434 is not this machine, so it was not asked."]


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:5000", "http://127.0.0.1:5000"),
        ("[::]:5000", "http://[::1]:5000"),
        ("http://example.com", "http://example.com:80"),
        ("https://example.com/ollama", "https://example.com:443/ollama"),
        ("localhost", "http://localhost:11434"),
    ],
)
def test_where_ollama_listens(given: str, base: str) -> None:
    """OLLAMA_HOST as Ollama itself reads it (envconfig.Host of v0.12)."""
    assert ollama.address({"OLLAMA_HOST": given}).base == base


@pytest.mark.parametrize("address", ["ftp://127.0.0.1", "http://", "http://127.0.0.1:99999", "http://u:p@127.0.0.1"])
def test_an_address_that_is_none(address: str) -> None:
    """What is no address of a server is refused before anything is sent."""
    with pytest.raises(UserError):
        Server(address)


@pytest.mark.parametrize(
    "answer",
    [(200, b"<html>"), (200, b""), (302, b""), (404, {}), (500, {"error": "out of memory"}), (200, {"data": [{"id": 5}]}), (200, [])],
)
def test_what_is_not_lm_studio(answer: tuple[int, Any]) -> None:
    """Any answer but the documented one is an error with a sentence."""
    with served(lambda method, path, body: answer) as base, pytest.raises(Unavailable) as caught:
        lmstudio.models(Server(base, "LM Studio"))
    assert "\n" not in caught.value.message


def test_an_old_ollama() -> None:
    """A version before the option is told with both numbers."""
    with served(replies({"/api/version": {"version": "0.1.44"}})) as base, pytest.raises(Unavailable) as caught:
        ollama.at_least(Server(base, "Ollama"), (0, 5, 0), "x")
    assert caught.value.message == "Ollama 0.1.44 is too old for x, which came with 0.5.0."


def test_the_command_line(sizeup: Run, shelves: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table within 80 columns, the same as JSON; in a folder alone with --store folder."""
    monkeypatch.setenv("HOME", str(shelves))
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    for name in ("OLLAMA_MODELS", "HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME", "LLAMA_CACHE"):
        monkeypatch.delenv(name, raising=False)
    studio_home(shelves, 9)
    said = sizeup("models", "--installed", "--store", "hub")
    assert (said.code, said.err) == (0, "")
    assert "org/SmolLM2-GGUF/q8.gguf" in said.out
    assert max(map(len, said.out.splitlines())) <= 80
    content = json.loads(sizeup("models", "--installed", "--in", str(shelves.parent / "files"), "--store", "folder", "--json").out)
    assert sorted(row["name"] for row in content["models"]) == [f"{SMALL}.gguf", f"{OTHER}.gguf"]
    wrong = sizeup("models", "--installed", "--for", "code")
    assert (wrong.code, wrong.out) == (2, "")


@pytest.mark.engine
def test_a_real_file_and_its_disk(tmp_path: Path) -> None:
    """A whole model in Ollama's layout: read, planned, and its disk's rate measured without writing, kept for the next answer."""
    store = tmp_path / ".ollama/models"
    ollama_tag(store, "gemma3:270m", small_copy(tmp_path))
    environment = {"OLLAMA_HOST": "127.0.0.1:9"}
    found = installed(machine(), home=tmp_path, environment=environment, stores=("ollama",), ask=False)
    (one,) = found.models
    assert (one.spec.architecture, one.quant, one.entry.bytes) == ("gemma3", "Q4_K_M", small_model().stat().st_size)
    if one.disk is not None and one.disk.bytes_per_s is not None:
        assert one.load_s is not None
        assert one.load_s > 0
        again = installed(machine(), home=tmp_path, environment=environment, stores=("ollama",), ask=False, measure=False)
        assert again.models[0].disk is not None
        assert (again.models[0].disk.path, again.models[0].disk.bytes_per_s) == (one.disk.path, one.disk.bytes_per_s)


def small_copy(folder: Path) -> Path:
    path = folder / "gemma.gguf"
    shutil.copy(small_model(), path)
    return path


def test_a_server_lists_them_where_it_reads_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --allow-files the same answer over HTTP, and nothing is measured, asked or kept."""
    pytest.importorskip("starlette", reason="needs the extra `web`")
    from sizeup.web.app import app
    from sizeup.web.serving import Serving
    from tests.client import Client

    unpack(SMALL, tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    reply = Client(app(Serving(allow_files=True))).get(f"/api/installed?in={tmp_path}&store=folder")
    assert (reply.status, [row["name"] for row in reply.json["models"]]) == (200, [f"{SMALL}.gguf"])
    assert list(data_dir().iterdir()) == []
