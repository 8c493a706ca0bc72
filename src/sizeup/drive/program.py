"""Engines that are programs: started on loopback with the plan's command line, asked by OpenAI's API, and ended."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO

from sizeup.errors import EngineFailed, SizeupError
from sizeup.fleet.artefacts.compose import of_plan
from sizeup.plan import Plan
from sizeup.servers.client import Server
from sizeup.servers.openai import chat, models
from sizeup.yaml_lines import yaml

from .hand import Hand, Prompt, Ran

START_SECONDS = 600.0
STOP_SECONDS = 10.0
LAST_LOG_LINES = 12
MLX = "mlx_lm.server"
MLX_MODEL = "default_model"
"""What mlx-lm calls the model that it was started with (server.py, 0.32.2); the list of its models is that of the hub's cache."""


def words(plan: Plan, tool: str, port: int) -> list[str]:
    """The plan's command line with where to listen; empty for what is no server."""
    if tool == "mlx":
        return [MLX, "--model", plan.model.named, "--host", "127.0.0.1", "--port", str(port)]
    if tool in ("llama-server", "vllm"):
        return [*shlex.split(plan.command), "--host", "127.0.0.1", "--port", str(port)]
    return []


def installed(tool: str) -> str | None:
    """The tool's program; None when it is not on the path."""
    return shutil.which({"mlx": MLX}.get(tool, tool))


def compose(plan: Plan, port: int = 8080) -> str:
    """A compose file for llama.cpp's own image, reachable from this machine alone."""
    return "\n".join(yaml(of_plan(plan, port))) + "\n"


def hand(plan: Plan, tool: str) -> Hand:
    """The command line; for llama-server a compose file too."""
    typed = words(plan, tool, 8080)
    files = {"compose.yaml": compose(plan)} if tool == "llama-server" else {}
    return Hand(tool, (shlex.join(typed) if typed else plan.command,), files, here=installed(tool) is not None)


@contextmanager
def started(
    command: list[str],
    port: int,
    tell: Callable[[float], None] = lambda seconds: None,
    ready: Callable[[Server], bool] = lambda server: bool(models(server)),
) -> Iterator[tuple[Server, float]]:
    """A server while the block lasts, and the seconds until it was ready. Raises EngineFailed when it ends or never is."""
    server = Server(f"http://127.0.0.1:{port}", command[0])
    with tempfile.TemporaryFile() as log, _ended_by_sigterm():
        begin = time.perf_counter()
        # A session of its own: Ctrl+C is ours to answer, and what it starts itself ends with it.
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            while not _answers(server, ready):
                spent = time.perf_counter() - begin
                if child.poll() is not None or spent > START_SECONDS:
                    raise EngineFailed(f"{os.path.basename(command[0])} did not come up.", "its log", _tail(log))
                tell(spent)
                time.sleep(0.2)
            yield server, time.perf_counter() - begin
        finally:
            _end(child)


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """A SIGTERM ends this program by way of its `finally`, so that what it started ends too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(*_: object) -> None:
        raise SystemExit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _answers(server: Server, ready: Callable[[Server], bool]) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        if probe.connect_ex((server.host, server.port)):
            return False
    try:
        return ready(server)
    except SizeupError:
        return False


def _healthy(server: Server) -> bool:
    """Whether mlx-lm has loaded its model: it listens before that, and then its first answer would take as long as the loading."""
    if server.ask("/health").get("status") != "ok":
        return False
    return chat(server, MLX_MODEL, [{"role": "user", "content": "."}], max_tokens=1).new_tokens == 1


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the program and what it started: asked first, then not."""
    for how, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, how)
        try:
            child.wait(seconds)
            if how == signal.SIGKILL:
                return
        except subprocess.TimeoutExpired:
            continue


def _tail(log: IO[bytes]) -> str:
    log.seek(0)
    return "\n".join(log.read().decode("utf-8", "replace").splitlines()[-LAST_LOG_LINES:])


def run(plan: Plan, tool: str, port: int, prompt: Prompt, tell: Callable[[float], None] = lambda seconds: None) -> Ran:
    """Start the tool, answer a prompt, end it."""
    command = words(plan, tool, port)
    command[0] = installed(tool) or command[0]
    with started(command, port, tell, _healthy if tool == "mlx" else lambda server: bool(models(server))) as (server, load_s):
        said = [{"role": "user", "content": prompt.text}]
        found = chat(
            server,
            MLX_MODEL if tool == "mlx" else models(server)[0],
            said,
            prompt.on_text,
            max_tokens=prompt.max_tokens,
            temperature=prompt.temperature,
            seed=prompt.seed,
        )
    return Ran(
        tool,
        found.prompt_tokens or 0,
        found.new_tokens,
        found.prefill_tokens_per_s,
        found.decode_tokens_per_s,
        found.timed_by,
        load_s,
    )
