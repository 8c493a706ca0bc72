"""Which names mean something online, and reading it there: a repository of the hub, a tag of Ollama's registry."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass

from sizeup.errors import Unavailable
from sizeup.model import ModelSpec

ADDRESS = re.compile(r"^(https?://)?(www\.)?(huggingface\.co|hf\.co)/(models/)?", re.IGNORECASE)
PAGE = re.compile(r"^(?P<id>[^/]+/[^/]+)/(tree|resolve|blob|raw)/(?P<revision>[^/]+)(/(?P<file>.+))?$")
NAMED = re.compile(r"^(?P<id>[A-Za-z0-9][\w.-]*/[\w.-]+)(:(?P<quant>[A-Za-z][\w-]*))?(@(?P<revision>[\w./+-]+))?$", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reference:
    """A repository of the hub, as somebody named it."""

    id: str
    revision: str = ""
    quant: str | None = None
    file: str | None = None

    @property
    def exact(self) -> bool:
        """Whether only the hub can answer: the shipped catalogue knows no revisions and no files."""
        return bool(self.revision or self.file)


def reference(name: str) -> Reference | None:
    """The repository that a name means: `ORG/NAME[:QUANT][@REVISION]`, or the address of a page or file; None for any other name."""
    plain = name.strip()
    rest = ADDRESS.sub("", plain)
    addressed = rest != plain
    rest = rest.split("?")[0].split("#")[0].strip("/") if addressed else rest
    page = PAGE.match(rest) if addressed else None
    if page is not None:
        revision = "" if page["revision"] == "main" else page["revision"]
        file = page["file"] if page["file"] and page["file"].lower().endswith(".gguf") else None
        return Reference(page["id"], revision, None, file)
    found = NAMED.match(rest)
    if found is None or found["id"].endswith((".gguf", ".json", ".safetensors")):
        return None
    return Reference(found["id"], found["revision"] or "", found["quant"])


def missing_package() -> bool:
    """Whether the package that reads online is not installed."""
    return importlib.util.find_spec("httpx2") is None


def read_hub(wanted: Reference, assume: str | None, offline_because: str) -> ModelSpec:
    """The repository's model, read in place."""
    from sizeup import net

    from . import hub

    with net.Client(net.hub_address(), net.token()) as client:
        kept = net.Kept(client, offline_because)
        return hub.read(kept, wanted.id, wanted.revision, wanted.quant, wanted.file, assume)


def read_ollama(name: str, assume: str | None, offline_because: str) -> ModelSpec:
    """The model of an Ollama tag, read in place."""
    from sizeup import net

    from . import registry

    parsed = registry.parse(name)
    hub = net.hub_address()
    home = registry.home_of(parsed, net.registry_address(), hub)
    with net.Client(home, net.token() if home == hub else None) as client:
        return registry.read(net.Kept(client, offline_because), parsed, assume)


def not_reached(name: str, error: Unavailable) -> Unavailable:
    """The error for a model that the catalogue lacks and that could not be read either."""
    return Unavailable(f"“{name}” is not in the shipped catalogue. {error.message}", error.hint)
