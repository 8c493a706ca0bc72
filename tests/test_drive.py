"""Other engines with a plan's settings: what is sent to them, what is read back, and what to type where they are not here.

Ollama and LM Studio are servers of ours that answer with the documented shapes (tests/stores.py); llama-server is a small program that starts
the real llama.cpp server of the embedded engine.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sizeup.drive import lmstudio, ollama, program
from sizeup.drive.hand import Prompt
from sizeup.engines.llamacpp.server import free_port
from sizeup.errors import EngineFailed, Unavailable
from sizeup.plan import Plan
from sizeup.search import fit
from sizeup.servers.client import Server
from tests.ghosts import unpack
from tests.program import Run
from tests.small_model import small_model
from tests.stores import served
from tests.test_converse import END, event

GPU = "rtx-4090"


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    path = unpack("SmolLM2-135M-Q4_K_M", tmp_path_factory.mktemp("models"))
    return fit(str(path), GPU, context_tokens=4096, k="q8_0", v="q8_0", gpu_layers="all", batch_tokens=1024)[0]


def prompt(pieces: list[str]) -> Prompt:
    return Prompt("Hi", 4, 0.0, 1, pieces.append)


class Ollama:
    """Answers as Ollama's documentation of v0.12 says, and remembers what it was sent."""

    def __init__(self, version: str = "0.12.6", held: tuple[str, ...] = ("smollm2:135m",), loaded: bool = False) -> None:
        self.version, self.held, self.loaded = version, list(held), loaded
        self.sent: list[tuple[str, str, Any]] = []

    def __call__(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        self.sent.append((method, path, body))
        if path == "/api/version":
            return 200, {"version": self.version}
        if path == "/api/tags":
            return 200, {"models": [{"name": name} for name in self.held]}
        if path == "/api/ps":
            return 200, {"models": [{"name": "smollm2:135m", "size": 500, "size_vram": 400}] if self.loaded else []}
        if path == "/api/chat":
            self.loaded = True
            return 200, self.stream()
        if path == "/api/create":
            self.held.append(f"{body['model']}:latest")
            return 200, iter([b'{"status":"using existing layer"}\n', b'{"status":"success"}\n'])
        if path == "/api/generate":
            self.loaded = False
            return 200, {"done": True}
        return 404, {"error": "not found"}

    def stream(self) -> Iterator[bytes]:
        yield b'{"message":{"role":"assistant","content":"Hel"},"done":false}\n'
        yield b'{"message":{"role":"assistant","content":"lo"},"done":false}\n'
        last = {"done": True, "load_duration": 2_000_000_000, "prompt_eval_count": 10, "prompt_eval_duration": 100_000_000}
        yield json.dumps({**last, "eval_count": 4, "eval_duration": 500_000_000}).encode() + b"\n"


def test_ollama_runs_with_the_plans_settings(plan: Plan) -> None:
    """num_ctx, num_gpu, num_batch go with the request; rates are Ollama's own; the model is let go of afterwards."""
    fake, pieces = Ollama(), []
    with served(fake) as base:
        found = ollama.run(Server(base, "Ollama"), plan, "smollm2:135m", prompt(pieces))
    options = next(body["options"] for _, path, body in fake.sent if path == "/api/chat")
    assert {name: options[name] for name in ("num_ctx", "num_gpu", "num_batch", "num_predict")} == {
        "num_ctx": 4096,
        "num_gpu": 31,
        "num_batch": 1024,
        "num_predict": 4,
    }
    assert "".join(pieces) == "Hello"
    assert found == ("Ollama 0.12.6", 10, 4, 100.0, 8.0, "server", 2.0, 500)
    assert [body for _, path, body in fake.sent if path == "/api/generate"] == [{"model": "smollm2:135m", "keep_alive": 0}]


def test_what_somebody_else_loaded_stays(plan: Plan) -> None:
    """A model that was in memory before is not unloaded."""
    fake = Ollama(loaded=True)
    with served(fake) as base:
        ollama.run(Server(base, "Ollama"), plan, "smollm2:135m", prompt([]))
    assert "/api/generate" not in [path for _, path, _ in fake.sent]


def test_ollama_makes_a_model_of_a_tag(plan: Plan) -> None:
    """create names the tag it is from and the plan's parameters; an Ollama before 0.5.5 is refused with both versions."""
    fake = Ollama()
    with served(fake) as base:
        ollama.create(Server(base, "Ollama"), plan, "mine", "smollm2:135m")
    body = next(body for _, path, body in fake.sent if path == "/api/create")
    assert (body["model"], body["from"], body["parameters"]["num_ctx"]) == ("mine", "smollm2:135m", 4096)
    with served(Ollama("0.4.9")) as base, pytest.raises(Unavailable) as caught:
        ollama.create(Server(base, "Ollama"), plan, "mine", "smollm2:135m")
    assert caught.value.message == "Ollama 0.4.9 is too old for a model made by its API, which came with 0.5.5."


def test_the_modelfile(plan: Plan) -> None:
    """Each parameter on its line; what only the server can be told stands before its start."""
    found = ollama.hand(plan)
    said = found.files["Modelfile"].splitlines()
    assert said[:4] == [f"FROM {plan.model.path}", "PARAMETER num_ctx 4096", "PARAMETER num_gpu 31", "PARAMETER num_batch 1024"]
    assert found.commands[0] == "OLLAMA_FLASH_ATTENTION=1 OLLAMA_KV_CACHE_TYPE=q8_0 ollama serve"


def test_lm_studio_loads_answers_and_unloads(plan: Plan) -> None:
    """The plan's context and batch go with the load; the instance it names is unloaded."""
    sent: list[tuple[str, Any]] = []

    def answer(method: str, path: str, body: Any) -> tuple[int, Any]:
        sent.append((path, body))
        if path == "/api/v1/models/load":
            return 200, {"type": "llm", "instance_id": "smollm2:1", "load_time_seconds": 1.5, "status": "loaded"}
        if path == "/v1/chat/completions":
            return 200, iter([event("a"), event("b"), END])
        return 200, {"instance_id": "smollm2:1"}

    with served(answer) as base:
        found = lmstudio.run(Server(base, "LM Studio"), plan, "smollm2", prompt([]))
    assert sent[0][1] == {
        "model": "smollm2",
        "context_length": 4096,
        "eval_batch_size": 1024,
        "flash_attention": True,
        "offload_kv_cache_to_gpu": True,
    }
    assert (sent[-1], found.load_s, found.timed_by) == (("/api/v1/models/unload", {"instance_id": "smollm2:1"}), 1.5, "clock")


def test_an_old_lm_studio(plan: Plan) -> None:
    """One without the API to load is told so, with the line to type."""
    with served(lambda method, path, body: (404, {"error": "Unexpected endpoint"})) as base, pytest.raises(Unavailable) as caught:
        lmstudio.run(Server(base, "LM Studio"), plan, "smollm2", prompt([]))
    assert caught.value.hint == "lms load smollm2 --context-length 4096 --gpu max"


def test_the_preset(plan: Plan) -> None:
    """The load settings by LM Studio's own keys."""
    fields = {row["key"]: row["value"] for row in json.loads(lmstudio.preset(plan))["load"]["fields"]}
    assert (fields["llm.load.contextLength"], fields["llm.load.llama.kCacheQuantizationType"]) == (4096, {"checked": True, "value": "q8_0"})


def test_compose(plan: Plan) -> None:
    """Reachable from this machine alone, the file mounted to be read, every argument quoted."""
    said = program.compose(plan)
    assert 'image: "ghcr.io/ggml-org/llama.cpp:server-cuda-b' in said
    assert 'capabilities: ["gpu"]' in said
    assert '"127.0.0.1:8080:8080"' in said
    assert f'"{plan.model.path}:/models/{Path(str(plan.model.path)).name}:ro"' in said


SHIM = """#!{python}
import sys
import xllamacpp
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
found = xllamacpp.CommonParams()
found.model.path, found.n_ctx, found.n_parallel = sys.argv[sys.argv.index("-m") + 1], 512, 1
found.port, found.hostnames, found.n_gpu_layers = int(sys.argv[sys.argv.index("--port") + 1]), ["127.0.0.1"], 0
server = xllamacpp.Server(found)
import signal
signal.pause()
"""


def program_named(folder: Path, name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / name
    path.write_text(text.format(python=sys.executable))
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.engine
def test_a_program_is_started_asked_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizeup: Run) -> None:
    """`llama-server` on the path is run with the plan's command line, its own timings are told, and nobody listens afterwards."""
    program_named(tmp_path, "llama-server", SHIM, monkeypatch)
    said = sizeup("run", str(small_model()), "Hi", "--engine", "llama-server", "--context", "512", "--max-tokens", "4", "--json")
    found = json.loads(said.out)
    assert (said.code, found["ran"], found["timed_by"], found["engine"]) == (0, True, "server", "llama-server")
    assert found["decode_tokens_per_s"] > 0


def test_a_program_that_does_not_come_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plan: Plan) -> None:
    """Its last lines are told, and it is gone."""
    program_named(tmp_path, "llama-server", "#!/bin/sh\necho no such option; exit 1\n", monkeypatch)
    with pytest.raises(EngineFailed) as caught:
        program.run(plan, "llama-server", free_port(0, False), prompt([]))
    assert caught.value.log == "no such option"


@pytest.mark.parametrize("tool", ["ollama", "lmstudio", "llama-server"])
def test_what_to_type_where_it_is_not_here(sizeup: Run, tool: str, model: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Files and commands, on the terminal and as JSON; nothing was run."""
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".lmstudio/.internal").mkdir(parents=True)
    (tmp_path / ".lmstudio/.internal/http-server-config.json").write_text('{"port": 9}')
    said = sizeup("run", model, "--engine", tool, "--json")
    found = json.loads(said.out)
    assert (said.code, found["ran"], bool(found["commands"]), bool(found["files"])) == (0, False, True, True)
    assert sizeup("run", model, "--engine", tool).code == 0


def test_another_server_at_ollamas_port(sizeup: Run, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What answers and is not Ollama is refused with a sentence and exit 5."""
    with served(lambda method, path, body: (200, b"hello")) as base:
        monkeypatch.setenv("OLLAMA_HOST", base)
        said = sizeup("run", model, "--engine", "ollama")
    assert (said.code, said.out) == (5, "")
    assert "is not what Ollama says" in said.err


SLEEPER = """#!{python}
import http.server, sys
class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{{"data": [{{"id": "m"}}]}}' if self.path == "/v1/models" else b"")
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answers).serve_forever()
"""


def test_a_sigterm_ends_what_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever ends sizeup by a signal leaves no server behind."""
    program_named(tmp_path, "sleeper", SLEEPER, monkeypatch)
    port = free_port(0, False)

    def started_and_ended() -> None:
        with program.started([str(tmp_path / "sleeper"), str(port)], port):
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(SystemExit) as caught:
        started_and_ended()
    assert caught.value.code == 143
    assert not program._answers(Server(f"http://127.0.0.1:{port}"), lambda server: True)
