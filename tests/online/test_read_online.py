"""A model that is not here is read in place: its config and headers, in few requests, by a server like the hub or the registry."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import sizeup
from sizeup.errors import NotFound, Unavailable, Unreadable, UserError
from sizeup.readers.gguf_files import quant_of
from sizeup.readers.online import Reference, reference
from tests.online.hub import COMMIT, Hub
from tests.online.model import CONFIG, checkpoint, tensors
from tests.online.site import Fault


def put(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("shards", [1, 3])
def test_a_checkpoint_is_what_its_files_are(world: Hub, tmp_path: Path, shards: int) -> None:
    """Read in place, a checkpoint has the tensors, bytes and layers of the same files on this disk."""
    files = checkpoint(shards)
    world.add("someone/small-llama", files)
    online, local = sizeup.read("someone/small-llama"), sizeup.read(put(tmp_path, files))
    assert (online.tensors, online.groups, online.file_bytes, online.data_start) == (
        local.tensors,
        local.groups,
        local.file_bytes,
        local.data_start,
    )
    assert (online.stored, online.path, online.warnings) == ("safetensors", None, ())
    assert (online.source.kind, online.source.where) == ("read", f"{world.address}/someone/small-llama/resolve/{COMMIT}/config.json")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", online.source.date)


@pytest.mark.parametrize("shards", [1, 3])
def test_few_requests(world: Hub, shards: int) -> None:
    """One request for the list, one for the config, one for each shard and its redirect; the numbered names make the index needless."""
    world.add("someone/small-llama", checkpoint(shards))
    sizeup.read("someone/small-llama")
    assert len(world.site.paths("/api/")) == 1
    assert len(world.site.paths("/resolve/")) == 1 + shards
    assert len(world.storage.asked) == shards
    assert world.storage.sent_bytes <= shards * (1 << 17)


def test_a_second_time_only_the_list_is_asked(world: Hub) -> None:
    """What a commit names never changes; the list is asked with its ETag and comes back as 304."""
    world.add("someone/small-llama", checkpoint(3))
    first = sizeup.read("someone/small-llama")
    asked = len(world.site.asked)
    assert sizeup.read("someone/small-llama") == first
    assert [request.path for request in world.site.asked[asked:]] == ["/api/models/someone/small-llama?blobs=true"]
    assert "if-none-match" in world.site.asked[-1].headers


def test_offline_what_was_read_is_still_known(world: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the network a model that was read before is read from the disk, and another is refused with the reason."""
    world.add("someone/small-llama", checkpoint())
    first = sizeup.read("someone/small-llama", online=True)
    asked = len(world.site.asked)
    assert sizeup.read("someone/small-llama", online=True, offline=True) == first
    with pytest.raises(Unavailable, match="--offline forbids the network"):
        sizeup.read("someone/other", online=True, offline=True)
    for name in ("SIZEUP_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(name, "true")
        with pytest.raises(NotFound, match="not in the shipped catalogue") as caught:
            sizeup.read("someone/other")
        assert caught.value.hint.endswith(f"the same without {name}")
        monkeypatch.delenv(name)
    assert len(world.site.asked) == asked


def test_a_long_header_takes_a_second_range(world: Hub) -> None:
    """A header longer than the first guess is read on from where the guess ended."""
    world.add("someone/small-llama", checkpoint(1, padding=200_000))
    spec = sizeup.read("someone/small-llama")
    assert {tensor.name for tensor in spec.tensors} == set(tensors())
    assert [request.headers["range"].split("-")[0] for request in world.storage.asked] == ["bytes=0", "bytes=8"]


def test_shards_that_an_index_alone_knows(world: Hub) -> None:
    """Shards without the usual numbers are found by the index."""
    files = checkpoint(2)
    index = files.pop("model.safetensors.index.json").decode()
    for number, name in enumerate([name for name in files if name.endswith(".safetensors")]):
        files[f"weights_{number}.safetensors"] = files.pop(name)
        index = index.replace(name, f"weights_{number}.safetensors")
    world.add("someone/odd", {**files, "model.safetensors.index.json": index.encode()})
    assert {tensor.name for tensor in sizeup.read("someone/odd").tensors} == set(tensors())


def test_a_gguf_repository(world: Hub, gguf_bytes: bytes, tmp_path: Path) -> None:
    """Of several quantisations the usual one is read, the one that is named, or the file whose address is given; ranges stop at the header."""
    world.add("someone/small-GGUF", {f"small-{quant}.gguf": gguf_bytes for quant in ("Q8_0", "Q4_K_M", "BF16")} | {"mmproj-F16.gguf": b"x"})
    local = sizeup.read(put(tmp_path, {"small-Q8_0.gguf": gguf_bytes}))
    spec = sizeup.read("someone/small-GGUF")
    assert (spec.tensors, spec.groups, spec.file_bytes) == (local.tensors, local.groups, local.file_bytes)
    assert spec.source.where.endswith("/small-Q4_K_M.gguf")
    assert spec.notes == ("someone/small-GGUF holds 2 other quantizations; this is small-Q4_K_M.gguf",)
    assert sizeup.read("someone/small-GGUF:Q8_0").source.where.endswith("/small-Q8_0.gguf")
    address = "https://huggingface.co/someone/small-GGUF/blob/main/small-BF16.gguf?download=true"
    assert sizeup.read(address).source.where.endswith("/small-BF16.gguf")
    with pytest.raises(NotFound, match="has no Q2_K file") as caught:
        sizeup.read("someone/small-GGUF:Q2_K")
    assert "Q8_0" in caught.value.hint


def test_a_plan_of_a_model_read_in_place(world: Hub, gguf_bytes: bytes) -> None:
    """`fit` answers for it as for any other."""
    world.add("someone/small-GGUF", {"small-Q8_0.gguf": gguf_bytes})
    plan = sizeup.fit(sizeup.read("someone/small-GGUF"), "rtx-4090", context_tokens=1024)[0]
    assert (plan.fits, plan.model.stored) == (True, "gguf")


def test_a_ghost_of_a_checkpoint_read_in_place(world: Hub) -> None:
    """What lies on no disk cannot be copied: its ghost is made as from a config."""
    from sizeup.ghost import formats

    world.add("someone/small-llama", checkpoint())
    made = formats.safetensors(sizeup.read("someone/small-llama"))
    assert made.files[0].name == "config.json"


def test_a_revision(world: Hub) -> None:
    """`@REVISION` asks for a branch, tag or commit, and one that is not there is said to be missing."""
    world.add("someone/small-llama", checkpoint())
    sizeup.read("someone/small-llama@v2")
    assert world.site.paths("/api/") == ["/api/models/someone/small-llama/revision/v2?blobs=true"]
    with pytest.raises(NotFound, match="has no revision “v3”"):
        sizeup.read("someone/small-llama@v3")


def test_the_catalogue_comes_first(world: Hub) -> None:
    """A shipped model asks nobody; `online` reads what the hub has now, and keeps the catalogue's licence."""
    files = checkpoint()
    world.add("Qwen/Qwen3-8B", files)
    assert sizeup.read("Qwen/Qwen3-8B").stored == "config"
    assert world.site.asked == []
    online = sizeup.read("Qwen/Qwen3-8B", online=True)
    assert (online.hidden, online.card["license"]) == (256, "apache-2.0")


def test_a_renamed_repository(world: Hub) -> None:
    """A repository that moved is read under its new name, and the answer says so."""
    world.add("someone/new-name", checkpoint())
    world.add("someone/old-name", {}).moved_to = "someone/new-name"
    spec = sizeup.read("someone/old-name")
    assert (spec.name, spec.notes[-1]) == ("someone/new-name", "someone/old-name is now called someone/new-name")


def test_gated(world: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gated model says where its licence is accepted; with the account's token it is read."""
    world.add("meta-llama/Llama-9", checkpoint(), gated=True)
    with pytest.raises(Unavailable, match="is gated") as caught:
        sizeup.read("meta-llama/Llama-9")
    assert caught.value.hint == f"accept its licence at {world.address}/meta-llama/Llama-9, then set HF_TOKEN"
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(Unavailable, match="is gated"):
        sizeup.read("meta-llama/Llama-9")
    monkeypatch.setenv("HF_TOKEN", world.token)
    assert sizeup.read("meta-llama/Llama-9").stored == "safetensors"


def test_the_token_stays_at_home(world: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The token, from the variable or from the file, goes to the hub and never to the storage that it sends on to."""
    (tmp_path / "token").write_text(world.token + "\n")
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "token"))
    world.add("someone/small-llama", checkpoint(2), gated=True)
    sizeup.read("someone/small-llama")
    assert {request.headers.get("authorization") for request in world.site.asked} == {f"Bearer {world.token}"}
    assert {request.headers.get("authorization") for request in world.storage.asked} == {None}


def test_kept_answers_belong_to_one_account(world: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read with a token is not shown without it, also not from the disk."""
    world.add("meta-llama/Llama-9", checkpoint(), gated=True)
    monkeypatch.setenv("HF_TOKEN", world.token)
    sizeup.read("meta-llama/Llama-9")
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(Unavailable, match="is gated"):
        sizeup.read("meta-llama/Llama-9")


def test_missing(world: Hub) -> None:
    """A repository that is not there is said to be missing, with models of near names."""
    with pytest.raises(NotFound, match="has no public repository Qwen/Qwen3-9B-Instruct") as caught:
        sizeup.read("Qwen/Qwen3-9B-Instruct")
    assert "Qwen/Qwen3-VL-8B-Instruct" in caught.value.hint


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault("/api/", "status", 99, 429, {"Retry-After": "3600"}), "asks to wait 3600 seconds"),
        (Fault("/api/", "status", 99, 429, {"RateLimit": '"api";r=0;t=184'}), "asks to wait 185 seconds"),
        (Fault("/api/", "status", 99, 500), "answers 500"),
        (Fault("/api/", "huge"), "sends more than 32"),
        (Fault("/resolve/", "redirect", 99, to="http://10.0.0.1/x"), "an address of this machine or its own network"),
        (Fault("/resolve/", "redirect", 99, to="http://[::ffff:169.254.169.254]/x"), "an address of this machine or its own network"),
        (Fault("/resolve/", "redirect", 99, to="http://localhost:1/x"), "an address of this machine or its own network"),
        (Fault("/resolve/", "redirect", 99, to="file:///etc/passwd"), "not followed"),
        (Fault("/resolve/", "redirect", 99, to="http://user@127.0.0.1/x"), "not followed"),
        (Fault("/resolve/", "redirect", 99, to=""), "sends on to nowhere"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.kind}-{value.status}-{value.to}",
)
def test_refusals(world: Hub, fault: Fault, sentence: str) -> None:
    """What a server may not do to its visitor, and what it will not do, is one sentence."""
    world.add("someone/small-llama", checkpoint())
    world.site.faults.append(fault)
    with pytest.raises((Unavailable, Unreadable), match=re.escape(sentence)):
        sizeup.read("someone/small-llama")


def test_redirects_without_end(world: Hub) -> None:
    """A server that sends round in circles is left."""
    world.add("someone/small-llama", checkpoint())
    world.site.faults.append(Fault("/resolve/", "redirect", 999, to=f"/someone/small-llama/resolve/{COMMIT}/config.json"))
    with pytest.raises(Unavailable, match="more than 8 redirects"):
        sizeup.read("someone/small-llama")


@pytest.mark.parametrize(
    "faults",
    [
        [Fault("/api/", "status", 2, 503)],
        [Fault("/api/", "status", 1, 429, {"Retry-After": "0"})],
        [Fault("/api/", "cut", 2, after=20)],
        [Fault("/api/", "short", 1)],
        [Fault("/api/", "gzip", 1)],
        [Fault("/resolve/", "status", 2, 502)],
    ],
    ids=lambda faults: f"{faults[0].kind}-{faults[0].status}",
)
def test_what_passes(world: Hub, faults: list[Fault]) -> None:
    """A short rate limit, a fault of the server, a broken or compressed answer cost a second try and nothing else."""
    world.add("someone/small-llama", checkpoint())
    world.site.faults += faults
    assert sizeup.read("someone/small-llama").stored == "safetensors"


@pytest.mark.parametrize("kind", ["no_range", "cut", "short"])
def test_headers_from_a_poor_server(world: Hub, gguf_bytes: bytes, kind: str) -> None:
    """A header is read from a server without ranges, and from one whose connection breaks."""
    world.add("someone/small-GGUF", {"small-Q8_0.gguf": gguf_bytes})
    world.storage.faults.append(Fault("/", kind, 2, after=1000))
    assert sizeup.read("someone/small-GGUF").stored == "gguf"


@pytest.mark.parametrize(("kind", "sentence"), [("wrong_range", "sends another part"), ("gzip", "compressed")])
def test_a_part_that_is_another(world: Hub, gguf_bytes: bytes, kind: str, sentence: str) -> None:
    """A part from another place, or compressed, is no part of the file."""
    world.add("someone/small-GGUF", {"small-Q8_0.gguf": gguf_bytes})
    world.storage.faults.append(Fault("/", kind, 99))
    with pytest.raises(Unreadable, match=sentence):
        sizeup.read("someone/small-GGUF")


def test_no_network(world: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listening is said together with what the catalogue lacks."""
    world.site.close()
    with pytest.raises(Unavailable, match=r"not in the shipped catalogue\. 127\.0\.0\.1 cannot be reached"):
        sizeup.read("someone/small-llama")


@pytest.mark.parametrize("content", [b"", b"[]", b"<html>", b'{"sha": 1}', b'{"sha": "x", "siblings": []}', b"[" * 100_000])
def test_answers_of_something_else(world: Hub, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """A server that is up and no hub is named as such."""
    from tests.online.site import Answer

    monkeypatch.setattr(world.site, "answer", lambda asked: Answer(200, {}, content))
    with pytest.raises(Unreadable, match=r"something else than JSON|no list of files"):
        sizeup.read("someone/small-llama")


def test_ollama(world: Hub, gguf_bytes: bytes, tmp_path: Path) -> None:
    """A tag that is neither here nor in the catalogue is read from the registry: manifest, then the header of its weights."""
    world.add_tag("someone/tiny/1b", {"model": gguf_bytes, "template": b"{{ .Prompt }}", "projector": b"p" * 10})
    spec = sizeup.read("ollama:someone/tiny:1b")
    local = sizeup.read(put(tmp_path, {"small.gguf": gguf_bytes}))
    assert (spec.tensors, spec.groups) == (local.tensors, local.groups)
    assert spec.notes == ("the tag also holds a projector of 10 bytes, which is not counted",)
    assert world.storage.sent_bytes < len(gguf_bytes)
    assert all("authorization" not in request.headers for request in world.site.asked)
    with pytest.raises(NotFound, match="has no “someone/tiny:7b”"):
        sizeup.read("ollama:someone/tiny:7b")


@pytest.mark.parametrize(
    ("manifest", "sentence"),
    [
        ({"schemaVersion": 1}, "no manifest"),
        ({"schemaVersion": 2, "layers": [{"digest": "sha256:../../../etc/passwd", "size": 1}]}, "which is none"),
        ({"schemaVersion": 2, "layers": [{"digest": "sha256:" + "a" * 64, "size": -1}]}, "claims a layer of -1 bytes"),
        ({"schemaVersion": 2, "layers": [{"digest": "sha256:" + "a" * 64, "size": 1 << 62}]}, "claims a layer of"),
        ({"schemaVersion": 2, "layers": [{}] * 600}, "lists 600 layers"),
        ({"schemaVersion": 2, "layers": [], "config": {"digest": "sha256:" + "a" * 64, "size": 5}}, "has no GGUF weights"),
    ],
)
def test_hostile_manifests(world: Hub, manifest: dict[str, object], sentence: str) -> None:
    """Paths in place of digests, impossible sizes and lists without end are refused."""
    world.tags["library/evil/latest"] = json.dumps(manifest).encode()
    with pytest.raises(Unreadable, match=re.escape(sentence)):
        sizeup.read("ollama:evil", online=True)


@pytest.mark.parametrize("name", ["ollama:../x", "ollama:a/b/c/d", "ollama:x:../y", "ollama:ftp://h/n/m:t", "ollama:h/../m:t"])
def test_names_that_ollama_has_not(world: Hub, name: str) -> None:
    """A name that Ollama would not take is refused before anything is asked."""
    with pytest.raises((UserError, NotFound)):
        sizeup.read(name, online=True)
    assert world.site.asked == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("org/name", Reference("org/name")),
        ("org/name@v1", Reference("org/name", "v1")),
        ("org/name-GGUF:Q4_K_M", Reference("org/name-GGUF", "", "Q4_K_M")),
        ("hf.co/org/name-GGUF:UD-Q4_K_XL", Reference("org/name-GGUF", "", "UD-Q4_K_XL")),
        ("https://huggingface.co/org/name", Reference("org/name")),
        ("https://huggingface.co/org/name/tree/v2", Reference("org/name", "v2")),
        ("https://hf.co/org/n/resolve/main/a/b-Q8_0.gguf", Reference("org/n", "", None, "a/b-Q8_0.gguf")),
        ("qwen3:8b", None),
        ("a/b/c", None),
        ("./a", None),
        ("dir/model.gguf", None),
    ],
)
def test_references(name: str, expected: Reference | None) -> None:
    """What names a repository, and what does not."""
    assert reference(name) == expected


@pytest.mark.parametrize(
    ("path", "quant"),
    [
        ("Qwen3-8B-Q4_K_M.gguf", "Q4_K_M"),
        ("qwen2.5-7b-instruct-q4_k_m-00001-of-00002.gguf", "Q4_K_M"),
        ("UD-Q4_K_XL/GLM-4.6-UD-Q4_K_XL-00001-of-00005.gguf", "UD-Q4_K_XL"),
        ("BF16/model-00001-of-00003.gguf", "BF16"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4_MOE"),
        ("Llama-3.2-1B.IQ4_XS.gguf", "IQ4_XS"),
        ("ggml-model-f16.gguf", "F16"),
        ("phi-2.gguf", ""),
    ],
)
def test_quants_by_name(path: str, quant: str) -> None:
    """What publishers call their files."""
    assert quant_of(path) == quant


def test_without_the_package(world: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without httpx2 the answer is the catalogue's, with the way to read online."""
    monkeypatch.setattr("sizeup.readers.online.missing_package", lambda: True)
    with pytest.raises(NotFound) as caught:
        sizeup.read("someone/small-llama")
    assert caught.value.hint.endswith('pip install ".[hub]" in the folder of sizeup')


def test_config_alone(world: Hub) -> None:
    """A repository with a config and no weights of ours is read from the config, and says so."""
    world.add("someone/bins", {"config.json": CONFIG.encode(), "pytorch_model.bin": b"x"})
    spec = sizeup.read("someone/bins")
    assert (spec.stored, spec.warnings[-1]) == (
        "config",
        "someone/bins has no safetensors files that belong together: sizes are from the config",
    )
