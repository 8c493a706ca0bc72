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

from ..errors import Unavailable, UserError

CONNECT_S = 10.0
"""How long a cluster may take to answer. Ray itself would try for a minute and a half, each of its clients for 40 s."""
AUTO = "auto"
LOCAL = "local"
"""No cluster yet: Ray starts one in this machine for as long as the connection lasts."""
CLIENT = "ray://"


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
    """Ray, connected to the cluster at `address` (HOST:PORT, ray://HOST:PORT, "auto" for the one of this machine, or "local") until the block ends.

    A connection that this program has already is used and kept. Raises Unavailable where no cluster answers, or one of another version;
    UserError where "auto" could be several.
    """
    ray = library()
    if ray.is_initialized():
        yield ray
        return
    reached = address if address == LOCAL else _reach(address)
    # Whatever Ray has to say to a terminal would stand in the middle of an answer.
    with redirect_stdout(io.StringIO()):
        yield from _joined(ray, reached)


def _joined(ray: ModuleType, address: str) -> Iterator[ModuleType]:
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
    except ConnectionError:
        raise _silent(address) from None
    except RuntimeError as error:
        # Its first line says which versions of Ray and Python do not meet.
        why = " ".join(str(error).split())[:300].rstrip(".")
        raise Unavailable(f"The Ray cluster at {address} was not joined: {why}.", "the cluster's own versions of Ray and Python") from None
    try:
        yield ray
    finally:
        ray.shutdown()


def _reach(address: str) -> str:
    """Where Ray will look for the cluster, once something there speaks gRPC as a cluster does."""
    from ray._private import services

    try:
        named = _only_one() if address == AUTO else address
        # Of an address of loopback Ray makes the machine's other one, at which a cluster need not listen.
        asked = named if named.startswith(CLIENT) else str(services.canonicalize_bootstrap_address(named))
        if _answers(asked.removeprefix(CLIENT)):
            return asked
    except (OSError, ValueError, OverflowError):
        pass
    raise _silent(address)


def _only_one() -> str:
    """What "auto" means: RAY_ADDRESS, else the cluster of this machine. Raises ConnectionError without one, UserError for several."""
    from ray._private import services

    if named := os.environ.get("RAY_ADDRESS"):
        return named
    running = sorted(services.find_gcs_addresses())
    # `ray start` notes the cluster that it started; among others Ray would take any.
    if len(running) > 1 and services.find_bootstrap_address(None) is None:
        raise UserError(f"{len(running)} Ray clusters run on this machine, and none was named.", f"--ray {running[0]}")
    return str(services.get_ray_address_from_environment(AUTO, None))


def _answers(address: str) -> bool:
    """Whether a server of gRPC listens there. Raises OSError where nothing does."""
    import grpc
    from ray._private.gcs_utils import create_gcs_channel

    host, _, port = address.rpartition(":")
    # A closed port is known at once; to gRPC it may open yet.
    socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
    channel = create_gcs_channel(address)
    try:
        grpc.channel_ready_future(channel).result(CONNECT_S)
    except grpc.FutureTimeoutError:
        return False
    finally:
        channel.close()
    return True


def _silent(address: str) -> Unavailable:
    return Unavailable(f"No Ray cluster answers at {address}.", "ray start --head, or --ray HOST:6379")
