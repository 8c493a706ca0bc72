"""A cluster that is not there: told within a stated time. Needs Ray and no cluster."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from sizeup.engines.llamacpp.server import free_port
from sizeup.errors import Unavailable, UserError
from sizeup.fleet import ray_connect

pytestmark = [
    pytest.mark.ray,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not here: make test-ray"),
]

HINT = "ray start --head, or --ray HOST:6379"


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The clusters that Ray finds on this machine: as a test says, none unless it does."""
    from ray._private import services

    found = list[str]()
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(services, "find_gcs_addresses", lambda: frozenset(found))
    monkeypatch.setattr(services, "find_bootstrap_address", lambda folder: None)
    return found


@pytest.fixture
def mute() -> Iterator[str]:
    """Something listens that is no Ray, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def trouble(address: str) -> str:
    with pytest.raises(Unavailable) as caught, ray_connect.connected(address):
        pass
    assert caught.value.hint == HINT
    return caught.value.message


def test_auto_with_nothing_running(alone: list[str]) -> None:
    """Nothing here is told at once; so is a cluster that has ended, whose address Ray still has."""
    assert trouble("auto") == "No Ray cluster answers at auto."
    alone.append(f"127.0.0.1:{free_port(0, False)}")
    assert trouble("auto") == "No Ray cluster answers at auto."


@pytest.mark.parametrize("kind", ["", "ray://"])
def test_what_is_no_cluster(monkeypatch: pytest.MonkeyPatch, mute: str, kind: str) -> None:
    """A closed port, and one that another program listens at, which Ray would ask for a minute and a half."""
    from ray._private import services

    monkeypatch.setattr(ray_connect, "CONNECT_S", 1.0)
    monkeypatch.setattr(services, "resolve_ip_for_localhost", str)
    for address in (f"{kind}127.0.0.1:{free_port(0, False)}", f"{kind}{mute}", f"{kind}127.0.0.1:99999"):
        assert trouble(address) == f"No Ray cluster answers at {address}."


def test_several_clusters_are_not_chosen_from(alone: list[str]) -> None:
    """Ray would take any of them."""
    alone += ["127.0.0.1:6380", "127.0.0.1:6379"]
    with pytest.raises(UserError) as caught, ray_connect.connected("auto"):
        pass
    assert (caught.value.message, caught.value.hint) == (
        "2 Ray clusters run on this machine, and none was named.",
        "--ray 127.0.0.1:6379",
    )


def test_the_program_ends_with_one_sentence() -> None:
    """From a process of its own, as a user has it, with an address that Ray finds in the environment."""
    environment = {**os.environ, "RAY_ADDRESS": f"127.0.0.1:{free_port(0, False)}"}
    command = [sys.executable, "-m", "sizeup", "fleet", "status", "--ray", "auto", "--lang", "en"]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert (said.returncode, said.stdout) == (Unavailable.exit_code, "")
    assert said.stderr == f"No Ray cluster answers at auto.\nTry: {HINT}\n"
