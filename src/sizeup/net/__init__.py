"""The one way out to the network: reading from Hugging Face Hub and from Ollama's registry, over http and https only.

Nothing here is imported before something is to be read online; httpx2 is an optional package (extra `hub`).
"""

from __future__ import annotations

from .client import Body, Client, Status
from .kept import Kept
from .settings import hub_address, offline_because, registry_address, token
from .source import HttpSource
from .waits import Patience, Stopped

__all__ = [
    "Body",
    "Client",
    "HttpSource",
    "Kept",
    "Patience",
    "Status",
    "Stopped",
    "hub_address",
    "offline_because",
    "registry_address",
    "token",
]
