"""What a server was started to do; everything that is not said is refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PORT = 8780
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Serving:
    """The wishes of whoever started the server."""

    host: str = "127.0.0.1"
    port: int = PORT
    allow_files: bool = False
    """Models, machines and data sets may be named by paths of this machine."""
    allow_run: bool = False
    """Engines may be started: prove, rehearse."""
    names: tuple[str, ...] = ()
    """Names that clients may call this server by, beside the address that it is bound to."""
    cors: tuple[str, ...] = ()
    """Origins whose pages may read answers."""
    engines: Path | None = None
    """Folder of browser engines, served at /engines/."""
    models: Path | None = None
    """Folder of model files, served at /files/."""
    seconds: float = 20.0
    """An answer that takes longer is given up."""
    run_seconds: float = 900.0
    """One that starts an engine."""
    workers: int = 1
    """Processes that answer; each keeps its own models, and headers that were sent to it."""
    threads: int = 2
    """Answers computed at the same time, in each process."""
    waiting: int = 64
    """Answers that may wait for a thread; more are refused."""

    @property
    def loopback(self) -> bool:
        return self.host in LOOPBACK
