"""What the environment says of the network: addresses of the hub and of Ollama's registry, the token, whether to stay offline.

The names are Hugging Face's own where it has them (huggingface_hub 2.4, constants.py), so that one setting serves every tool.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from sizeup.errors import UserError
from sizeup.tool_folders import hub_home

HUB = "https://huggingface.co"
REGISTRY = "https://registry.ollama.ai"
YES = ("1", "on", "yes", "true")
OFFLINE = ("SIZEUP_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


def offline_because(given: bool | None = None, environment: Mapping[str, str] = os.environ) -> str:
    """What forbids the network: `--offline`, or the variable that is set; "" when it may be used."""
    if given is not None:
        return "--offline" if given else ""
    return next((name for name in OFFLINE if environment.get(name, "").strip().lower() in YES), "")


def hub_address(environment: Mapping[str, str] = os.environ) -> str:
    """Hugging Face Hub, or the mirror that HF_ENDPOINT names; without a slash at the end. Raises UserError for what is no address."""
    return checked(environment.get("HF_ENDPOINT", "").strip() or HUB, "HF_ENDPOINT")


def registry_address(environment: Mapping[str, str] = os.environ) -> str:
    """Ollama's registry, or the mirror that SIZEUP_OLLAMA_REGISTRY names. Raises UserError for what is no address."""
    return checked(environment.get("SIZEUP_OLLAMA_REGISTRY", "").strip() or REGISTRY, "SIZEUP_OLLAMA_REGISTRY")


def checked(address: str, name: str) -> str:
    """An address of a server, without a slash at the end."""
    try:
        parts = urlsplit(address)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None and not parts.query
        sound = sound and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound or any(character.isspace() for character in address):
        raise UserError(f"{name} is “{address[:80]}”, which is no address of a server.", f"{name}=https://HOST")
    return address.rstrip("/")


def token(environment: Mapping[str, str] = os.environ) -> str | None:
    """The token of the person's account: HF_TOKEN, else the file that `hf auth login` writes; None without one.

    Raises UserError for one that no header may hold; it is never shown.
    """
    found = environment.get("HF_TOKEN") or environment.get("HUGGING_FACE_HUB_TOKEN")
    if not found and environment.get("HF_HUB_DISABLE_IMPLICIT_TOKEN", "").strip().lower() not in YES:
        found = _from_file(environment)
    found = (found or "").strip()
    if not found:
        return None
    if not found.isascii() or not found.isprintable() or " " in found or len(found) > 1024:
        raise UserError("HF_TOKEN holds characters that no token has.", "the token as its page shows it, on one line")
    return found


def _from_file(environment: Mapping[str, str]) -> str:
    try:
        given = environment.get("HF_TOKEN_PATH")
        path = Path(os.path.expandvars(given)).expanduser() if given else hub_home(environment) / "token"
        return path.read_bytes()[:4096].decode("utf-8", "replace")
    except (OSError, RuntimeError):  # none was saved, or a user without a home
        return ""
