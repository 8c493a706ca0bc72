"""`sizeup pull`: the file that suits the machine, in the folder of the tool that will run it, and nothing anywhere else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sizeup.download import inside
from sizeup.errors import NotFound, Unavailable, Unreadable, UserError
from sizeup.i18n import LANGUAGES
from sizeup.page import cells
from sizeup.probe import machine
from sizeup.pulls import Pull, Puller
from tests.online.hub import COMMIT, Hub
from tests.online.model import checkpoint
from tests.online.site import Fault, git_oid, sha256, soon
from tests.program import Run

REPO = "someone/small-GGUF"


def fetched(name: str, to: Path | None, on: str = "rtx-4090", **rest: object) -> tuple[Pull, Path]:
    """Settle and fetch."""
    with Puller(machine(on)) as puller:
        found = puller.settle(name, to=to, **rest)  # type: ignore[arg-type]
        return found, found.fetch()


def settled(name: str, on: str = "rtx-4090", **rest: object) -> Pull:
    with Puller(machine(on)) as puller:
        return puller.settle(name, **rest)  # type: ignore[arg-type]


def tree(folder: Path) -> dict[str, str]:
    """Every file and link under a folder: its content's checksum, or where it leads."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[path.relative_to(folder).as_posix()] = f"-> {os.readlink(path)}"
        elif path.is_file():
            found[path.relative_to(folder).as_posix()] = sha256(path.read_bytes())
    return found


@pytest.fixture
def small(world: Hub, gguf_bytes: bytes) -> Hub:
    """A hub with a repository of three quantisations and a projector."""
    files = {f"small-{quant}.gguf": gguf_bytes for quant in ("Q4_K_M", "BF16")} | {"small-Q8_0.gguf": gguf_bytes + bytes(32)}
    world.add(REPO, {**files, "mmproj-F16.gguf": b"projector", "README.md": b"# small\n"})
    return world


def test_a_plain_folder(small: Hub, gguf_bytes: bytes, tmp_path: Path) -> None:
    """With a folder alone the bare files go there."""
    found, path = fetched(REPO, tmp_path / "m")
    assert (found.why, found.quant, found.tool) == ("usual", "Q4_K_M", "")
    assert path == tmp_path / "m" / "small-Q4_K_M.gguf"
    assert tree(tmp_path / "m") == {"mmproj-F16.gguf": sha256(b"projector"), "small-Q4_K_M.gguf": sha256(gguf_bytes)}


@pytest.mark.parametrize("tool", ["hf", "llama.cpp"])
def test_the_cache_of_hugging_face(small: Hub, gguf_bytes: bytes, tmp_path: Path, tool: str) -> None:
    """Blobs by their checksum, relative links of the commit, the branch's name last: what huggingface_hub and llama.cpp find."""
    small.add("someone/plain", checkpoint())
    name = REPO if tool == "llama.cpp" else "someone/plain"
    _, path = fetched(name, tmp_path, tool=tool)
    (repo,) = tmp_path.iterdir()
    assert repo.name == "models--" + name.replace("/", "--")
    found = tree(repo)
    files = {"small-Q4_K_M.gguf": gguf_bytes, "mmproj-F16.gguf": b"projector"} if tool == "llama.cpp" else checkpoint()
    expected = {"refs/main": sha256(COMMIT.encode())}
    for file, content in files.items():
        blob = sha256(content) if file.endswith((".gguf", ".safetensors")) else git_oid(content)
        expected |= {f"blobs/{blob}": sha256(content), f"snapshots/{COMMIT}/{file}": f"-> ../../blobs/{blob}"}
    assert found == expected
    assert path.parent == repo / "snapshots" / COMMIT


def test_huggingface_hub_finds_it(small: Hub, tmp_path: Path) -> None:
    """The library itself, where it is installed, takes the folder for its own cache."""
    library = pytest.importorskip("huggingface_hub")
    small.add("someone/plain", checkpoint())
    fetched("someone/plain", tmp_path, tool="hf")
    found = library.try_to_load_from_cache("someone/plain", "model.safetensors", cache_dir=tmp_path)
    assert Path(found).read_bytes() == checkpoint()["model.safetensors"]
    assert library.scan_cache_dir(tmp_path).warnings == []


def test_lm_studio(small: Hub, gguf_bytes: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """PUBLISHER/REPOSITORY/FILE in LM Studio's folder, also where somebody moved it."""
    home = Path(os.environ["HOME"])
    _, path = fetched(REPO, None, tool="lmstudio")
    assert path == home / ".lmstudio" / "models" / REPO / "small-Q4_K_M.gguf"
    (tmp_path / "moved").mkdir()
    (home / ".lmstudio-home-pointer").write_text(f"{tmp_path / 'moved'}\n")
    _, path = fetched(REPO, None, tool="lmstudio")
    assert path == tmp_path / "moved" / "models" / REPO / "small-Q4_K_M.gguf"


def test_ollama(world: Hub, gguf_bytes: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Blobs by their digests and the manifest byte for byte, which `sizeup fit ollama:…` then reads."""
    raw = world.add_tag("library/tiny/1b", {"model": gguf_bytes, "template": b"{{ .Prompt }}", "license": b"free"}, b'{"model_type": "1B"}')
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "store"))
    found, path = fetched("ollama:tiny:1b", None)
    blobs = {
        f"blobs/sha256-{sha256(content)}": sha256(content) for content in (gguf_bytes, b"{{ .Prompt }}", b"free", b'{"model_type": "1B"}')
    }
    assert tree(tmp_path / "store") == {**blobs, "manifests/registry.ollama.ai/library/tiny/1b": sha256(raw)}
    assert found.command(path) == "ollama run tiny:1b"
    import sizeup

    assert sizeup.read("ollama:tiny:1b", offline=True).stored == "gguf"


def test_ollama_from_the_hub(small: Hub, gguf_bytes: bytes, tmp_path: Path) -> None:
    """A repository of the hub for Ollama goes by the hub's own registry, under the name that Ollama gives it."""
    small.add_tag(f"{REPO}/Q4_K_M", {"model": gguf_bytes})
    found, path = fetched(REPO, tmp_path, tool="ollama")
    assert found.command(path) == f"ollama run hf.co/{REPO}:Q4_K_M"
    assert f"manifests/hf.co/{REPO}/Q4_K_M" in tree(tmp_path)


def test_the_plan_chooses(world: Hub, gguf_bytes: bytes, tmp_path: Path) -> None:
    """A catalogue model is pulled in the quantization of the best plan, from the first repository that publishes it."""
    from sizeup.search import fit

    box = machine("rtx-4090")
    import sizeup

    spec = sizeup.read("Qwen/Qwen3-8B")
    best = fit(spec, box)[0].quant
    world.add("ggml-org/Qwen3-8B-GGUF", {"Qwen3-8B-Q2_K.gguf": gguf_bytes})
    world.add("unsloth/Qwen3-8B-GGUF", {f"Qwen3-8B-{best}.gguf": gguf_bytes, "Qwen3-8B-Q2_K.gguf": gguf_bytes})
    found = settled("Qwen/Qwen3-8B", to=tmp_path)
    assert (found.name, found.quant, found.why, found.items[0].name) == ("unsloth/Qwen3-8B-GGUF", best, "plan", f"Qwen3-8B-{best}.gguf")
    asked = settled("Qwen/Qwen3-8B", to=tmp_path, quant="Q2_K")
    assert (asked.name, asked.quant, asked.why) == ("ggml-org/Qwen3-8B-GGUF", "Q2_K", "asked")
    del world.repos["unsloth/Qwen3-8B-GGUF"]
    with pytest.raises(NotFound, match="No repository that the catalogue knows publishes Qwen/Qwen3-8B as"):
        settled("Qwen/Qwen3-8B", to=tmp_path, quant="Q5_K_M")


def test_what_is_published_is_told_from_what_is_wished(world: Hub, gguf_bytes: bytes, tmp_path: Path) -> None:
    """Where the best plan's file is published nowhere, the best one that is, is taken and said to be so."""
    import sizeup
    from sizeup.search import fit

    plans = [plan for plan in fit(sizeup.read("Qwen/Qwen3-8B"), machine("rtx-4090")) if plan.fits]
    second = next(plan.quant for plan in plans if plan.quant != plans[0].quant)
    world.add("unsloth/Qwen3-8B-GGUF", {f"Qwen3-8B-{second}.gguf": gguf_bytes})
    found = settled("Qwen/Qwen3-8B", to=tmp_path)
    assert (found.quant, found.why, found.wished) == (second, "published", plans[0].quant)


def test_what_fits_not_is_not_fetched(small: Hub, sizeup: Run, tmp_path: Path, small_box: str) -> None:
    """On a machine that is too small nothing is fetched, unless the quantization is asked for by name; exit 3 says so."""
    box = tmp_path / "tiny.toml"
    box.write_text('[cpu]\ncores = 2\nthreads = 2\n[ram]\nmemory = "64MiB"\nfree = "1MiB"\nbandwidth = "10 GB/s"\n')
    said = sizeup("pull", REPO, "--on", str(box), "--to", str(tmp_path / "m"))
    assert said.code == 3
    assert "--quant Q4_K_M fetches it all the same" in " ".join(said.out.split())
    assert not (tmp_path / "m").exists()
    said = sizeup("pull", REPO, "--on", str(box), "--to", str(tmp_path / "m"), "--quant", "Q4_K_M")
    assert said.code == 0
    assert (tmp_path / "m" / "small-Q4_K_M.gguf").is_file()


@pytest.mark.parametrize(
    "path",
    [
        "../evil.gguf",
        "/etc/evil.gguf",
        "a/../../evil.gguf",
        "..\\evil.gguf",
        "C:evil.gguf",
        "a/\x1b[2Jevil.gguf",
        "con.gguf",
        "x" * 300 + ".gguf",
    ],
)
@pytest.mark.parametrize("tool", [None, "hf", "lmstudio"])
def test_hostile_names(world: Hub, gguf_bytes: bytes, tmp_path: Path, path: str, tool: str | None) -> None:
    """A file whose name leads out of the folder, or is none, is refused, and nothing is written anywhere."""
    if tool == "hf":
        path = path.replace(".gguf", ".json")
    world.add(REPO, {path: gguf_bytes, "config.json": b"{}", "model.safetensors": b"x"})
    before = tree(tmp_path)
    with pytest.raises((Unreadable, NotFound)):
        fetched(REPO, tmp_path / "m" / "deep", tool=tool)
    assert tree(tmp_path) == before
    with pytest.raises(Unreadable, match="which is no path inside"):
        inside(tmp_path, path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"digest": "sha256:../../../../evil"}, "names the digest"),
        ({"size": 1 << 49}, "are to be written"),
        ({"size": -5}, "claims a layer of"),
        ({"digest": "sha256:" + "0" * 64}, "has no “tiny:1b”"),
    ],
    ids=["path", "huge", "negative", "unknown"],
)
def test_hostile_manifests(world: Hub, gguf_bytes: bytes, tmp_path: Path, change: dict[str, object], sentence: str) -> None:
    """A manifest with a path, an impossible size or a digest of nothing is refused before its tag has a name here."""
    said = json.loads(world.add_tag("library/tiny/1b", {"model": gguf_bytes}))
    said["layers"][0] |= change
    world.tags["library/tiny/1b"] = json.dumps(said).encode()
    with pytest.raises((Unreadable, Unavailable, NotFound), match=sentence):
        fetched("ollama:tiny:1b", tmp_path / "m")
    assert [name for name in tree(tmp_path) if "evil" in name or "manifests" in name] == []


def test_a_blob_with_another_digest(world: Hub, gguf_bytes: bytes, tmp_path: Path) -> None:
    """A registry that sends other bytes than the digest says is refused; no manifest names what did not come."""
    world.add_tag("library/tiny/1b", {"model": gguf_bytes})
    world.blobs[sha256(gguf_bytes)] = bytes(len(gguf_bytes))
    with pytest.raises(Unreadable, match="not with the checksum"):
        fetched("ollama:tiny:1b", tmp_path)
    assert [name for name in tree(tmp_path) if "manifests" in name] == []


def test_gated(world: Hub, tmp_path: Path) -> None:
    """What the account may not read is said as when it is read."""
    world.add("meta-llama/Llama-9", checkpoint(), gated=True)
    with pytest.raises(Unavailable, match="is gated"):
        fetched("meta-llama/Llama-9", tmp_path, tool="hf")


def test_the_token_stays_at_home(world: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A gated checkpoint comes with the token, which the storage never sees."""
    monkeypatch.setenv("HF_TOKEN", world.token)
    world.add("meta-llama/Llama-9", checkpoint(), gated=True)
    fetched("meta-llama/Llama-9", tmp_path, tool="hf")
    assert {request.headers.get("authorization") for request in world.storage.asked} == {None}


def test_no_room(small: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk without room is said before the first byte."""
    from sizeup.download import disk

    monkeypatch.setattr(disk, "SPARE_BYTES", 1 << 60)
    with pytest.raises(Unavailable, match="are to be written, and the disk of"):
        fetched(REPO, tmp_path)
    assert small.storage.paths(sha256(small.repos[REPO].files["mmproj-F16.gguf"])) == []


@pytest.mark.parametrize(
    ("name", "rest", "error"),
    [
        (REPO, {"tool": "vllm"}, UserError),
        (REPO, {"quant": "Q3_K_M"}, NotFound),
        ("ollama:tiny:1b", {"tool": "lmstudio"}, UserError),
        ("ollama:tiny:1b", {"quant": "Q8_0"}, UserError),
        ("someone/plain", {}, NotFound),
        ("no such model at all", {}, NotFound),
        ("ollama:tiny:9b", {}, NotFound),
    ],
)
def test_mistakes(small: Hub, name: str, rest: dict[str, str], error: type[Exception]) -> None:
    """What cannot be pulled is said with what can."""
    small.add("someone/plain", checkpoint())
    with pytest.raises(error) as caught:
        settled(name, **rest)
    assert caught.value.hint


def test_offline(small: Hub, sizeup: Run) -> None:
    """Offline nothing is pulled, and nobody is asked."""
    said = sizeup("pull", REPO, "--offline")
    assert (said.code, small.site.asked) == (5, [])
    assert "--offline forbids" in said.err


def test_json_events(small: Hub, sizeup: Run, gguf_bytes: bytes, tmp_path: Path) -> None:
    """For programs each line is an event: what was chosen, how far it is, where it lies."""
    said = sizeup("pull", f"{REPO}:Q8_0", "--to", str(tmp_path / "m"), "--json", "--no-projector")
    events = [json.loads(line) for line in said.out.splitlines()]
    assert said.code == 0
    assert (events[0]["event"], events[0]["quant"], events[0]["why"], events[0]["fits"]) == ("chosen", "Q8_0", "asked", True)
    assert events[0]["files"][0]["bytes"] == events[0]["missing_bytes"] == len(gguf_bytes) + 32
    assert events[-2]["event"] == "done"
    assert events[-1] == {
        "event": "pulled",
        "path": str(tmp_path / "m" / "small-Q8_0.gguf"),
        "command": f"sizeup run {tmp_path / 'm' / 'small-Q8_0.gguf'}",
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_in_words(small: Hub, sizeup: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    """The same in words of each language, within 80 columns; a second time everything is here already."""
    monkeypatch.chdir(tmp_path)
    first = sizeup("pull", REPO, "--to", "m", "--lang", language)
    second = sizeup("pull", REPO, "--to", "m", "--lang", language)
    assert (first.code, second.code) == (0, 0)
    assert "small-Q4_K_M.gguf" in first.out
    assert max(map(cells, (first.out + first.err + second.err).splitlines())) <= 80
    assert len(small.storage.paths(sha256(b"projector"))) == 1


def test_dry_run(small: Hub, sizeup: Run, tmp_path: Path) -> None:
    """What would be pulled is said, and nothing is written."""
    said = sizeup("pull", REPO, "--to", str(tmp_path / "m"), "--dry-run")
    assert (said.code, (tmp_path / "m").exists()) == (0, False)


def test_ctrl_c(small: Hub, tmp_path: Path) -> None:
    """Ctrl+C ends with 130, a sentence and what came; the same command goes on from there."""
    digest = sha256(small.repos[REPO].files["small-Q4_K_M.gguf"])
    # The last chunk is shorter and comes whole; the header that the plan is made from is read before.
    small.storage.faults.append(Fault(digest, "stall", 99, after=1 << 19))
    environment = {**os.environ, "COLUMNS": "80", "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-m", "sizeup", "pull", f"{REPO}:Q4_K_M", "--to", str(tmp_path / "m"), "--on", "rtx-4090", "--no-projector"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        try:
            parts = tmp_path / "m" / ".sizeup-pull"
            assert soon(lambda: any(line[:1].isdigit() for path in parts.glob("*.journal") for line in path.read_bytes().splitlines()))
            started.send_signal(signal.SIGINT)
            _, err = started.communicate(timeout=60)
        finally:
            started.kill()
    assert (started.returncode, "Traceback" in err) == (130, False)
    assert "the same command goes on" in " ".join(err.split())
    small.storage.faults.clear()
    assert subprocess.run(command, env=environment, capture_output=True, timeout=60).returncode == 0
    assert sha256((tmp_path / "m" / "small-Q4_K_M.gguf").read_bytes()) == digest


def test_what_was_pulled_is_found(small: Hub, gguf_bytes: bytes) -> None:
    """What went into each tool's own folder is on the list of what is installed, whole, and nothing is left over."""
    from sizeup.installed.judged import shelf

    small.add_tag("library/tiny/1b", {"model": gguf_bytes})
    for tool in ("llama.cpp", "lmstudio"):
        fetched(REPO, None, tool=tool)
    fetched("ollama:tiny:1b", None)
    found = shelf(("ollama", "lmstudio", "hub"), (), os.environ, Path(os.environ["HOME"]))
    assert sorted((entry.store, entry.name) for entry in found.entries) == [
        ("hub", f"{REPO}/small-Q4_K_M.gguf"),
        ("lmstudio", f"{REPO}/small-Q4_K_M.gguf"),
        ("ollama", "tiny:1b"),
    ]
    assert found.leftovers == []


def test_json_error(small: Hub, sizeup: Run) -> None:
    """A mistake is an event on a line, in the language asked for, with the exit code."""
    said = sizeup("pull", f"{REPO}:Q3_K_M", "--json", "--lang", "zh-Hant")
    event = json.loads(said.out)
    assert (said.code, said.err) == (4, "")
    assert (event["event"], event["kind"], event["message"]) == ("error", "NotFound", f"{REPO} 沒有 Q3_K_M 檔案。")
