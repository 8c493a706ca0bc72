"""A connection to somebody's Ray cluster for as long as a question lasts: nothing of ours stays there."""

from __future__ import annotations

import importlib
import io
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from types import ModuleType

from ..errors import Unavailable

CONNECT_S = 5.0
AUTO = "auto"


def library() -> ModuleType:
    """Ray itself. Raises Unavailable where it is not installed."""
    # A question about a cluster is none about its users: Ray counts no use of ours.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        return importlib.import_module("ray")
    except ImportError:
        raise Unavailable("Ray is not installed here.", 'pip install ".[ray]" in the folder of sizeup') from None


@contextmanager
def connected(address: str) -> Iterator[ModuleType]:
    """Ray, connected to the cluster at `address` (HOST:PORT, ray://HOST:PORT, or "auto" for the one of this machine) until the block ends.

    A connection that this program has already is used and kept. Raises Unavailable where no cluster answers, or one of another version.
    """
    ray = library()
    if ray.is_initialized():
        yield ray
        return
    _reach(address)
    # Whatever Ray has to say to a terminal would stand in the middle of an answer.
    with redirect_stdout(io.StringIO()):
        yield from _joined(ray, address)


def _joined(ray: ModuleType, address: str) -> Iterator[ModuleType]:
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
    except ConnectionError:
        raise Unavailable(f"No Ray cluster answers at {address}.", "ray start --head, or --ray HOST:6379") from None
    except RuntimeError as error:
        # Its first line says which versions of Ray and Python do not meet.
        why = " ".join(str(error).split())[:300].rstrip(".")
        raise Unavailable(f"The Ray cluster at {address} was not joined: {why}.", "the cluster's own versions of Ray and Python") from None
    try:
        yield ray
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """Knock at the address first: Ray itself would wait for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if address == AUTO or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
    except (OSError, OverflowError):
        raise Unavailable(f"No Ray cluster answers at {address}.", "ray start --head, or --ray HOST:6379") from None
