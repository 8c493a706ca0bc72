"""A plan as files for the programs that run it: the table of targets, and `emit`."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ... import __version__
from ...errors import Unavailable, UserError, close_names
from ...yaml_lines import yaml
from . import compose, deployment, expected, leader_worker_set, ray_llm, rayservice, sbatch
from .wanted import Wanted


class Emitted(NamedTuple):
    """Files by their names, and what to type then."""

    files: Mapping[str, str]
    run: str


class Target(NamedTuple):
    """A program that runs what is written."""

    file: str
    run: str
    text: Callable[[Wanted], str]


def _several(documents: Callable[[Wanted], list[dict[str, Any]]]) -> Callable[[Wanted], str]:
    return lambda found: "\n---\n".join("\n".join(yaml(one)) for one in documents(found)) + "\n"


def _one(document: Callable[[Wanted], dict[str, Any]]) -> Callable[[Wanted], str]:
    return lambda found: "\n".join(yaml(document(found))) + "\n"


def _arguments(found: Wanted) -> str:
    found.only("One command line")
    return f"exec {shlex.join(found.words('127.0.0.1'))}\n"


TARGETS = {
    "args": Target("serve.sh", "sh serve.sh", _arguments),
    "compose": Target("compose.yaml", "docker compose up", _one(compose.document)),
    "deployment": Target("deployment.yaml", "kubectl apply -f deployment.yaml", _several(deployment.documents)),
    "lws": Target("leader-worker-set.yaml", "kubectl apply -f leader-worker-set.yaml", _several(leader_worker_set.documents)),
    "ray-llm": Target("serve.yaml", "serve deploy serve.yaml", _one(ray_llm.config)),
    "rayservice": Target("ray-service.yaml", "kubectl apply -f ray-service.yaml", _several(rayservice.documents)),
    "sbatch": Target("serve.sbatch", "sbatch serve.sbatch", sbatch.script),
}
"""Name -> its file, and what is typed to run it."""
LOG = "expected.log"


def emit(found: Wanted, name: str) -> Emitted:
    """The file of a target, and the log that is expected. Raises UserError for what the target has no way for, Refused."""
    target = TARGETS.get(name)
    if target is None:
        raise UserError(f"There are no files for “{name}” here.", ", ".join(close_names(name, TARGETS, 1, 0.4) or TARGETS))
    body, said = target.text(found), expected.lines(found)
    first, rest = (body.split("\n", 1)[0] + "\n", body.split("\n", 1)[1]) if body.startswith("#!") else ("", body)
    head = "".join(f"# {line}".rstrip() + "\n" for line in [*_header(found), "", *_checked(said)])
    return Emitted({target.file: first + head + rest, LOG: "\n".join(said) + "\n"}, target.run)


def _header(found: Wanted) -> list[str]:
    plan = found.plan
    spread = f"{found.replicas} x {found.nodes} nodes x {found.cards} cards"
    return [
        f"{plan.model.name} ({plan.quant or 'as stored'}) on {plan.engine} {found.version}: {spread}, planned by sizeup {__version__}",
        f"host memory of a node's share: {found.memory_bytes >> 30} GiB, of it /dev/shm {found.shm_bytes >> 20} MiB"
        + (" (what a process takes is assumed)" if found.engine != "llama.cpp" else ""),
    ]


def _checked(said: list[str]) -> list[str]:
    return [f"expected in the log ({LOG}; compare: sizeup verify LOG):", *(f"  {line}" for line in said)]


def write(emitted: Emitted, folder: Path, force: bool = False) -> list[Path]:
    """Put the files into a folder. Raises UserError rather than replace another file, unless `force`; Unavailable."""
    paths = [folder / name for name in emitted.files]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in zip(paths, emitted.files.values(), strict=True):
            if not force and path.exists() and path.read_bytes() != text.encode():
                raise UserError(f"{path} is there already and is another.", "--to with another folder, or --force")
        for path, text in zip(paths, emitted.files.values(), strict=True):
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Unavailable(f"{folder} cannot be written: {error.strerror}.", "--to with a folder you may write to") from None
    return paths
