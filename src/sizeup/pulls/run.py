"""Pulling a model: what it is, where it goes, and fetching it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sizeup.download import Download, Event, Item, Tell, check_room
from sizeup.download.disk import missing_bytes
from sizeup.errors import NotFound, SizeupError, Unavailable, UserError
from sizeup.hardware import Machine
from sizeup.net import Client, Kept, Patience, Status, hub_address, offline_because, registry_address, token
from sizeup.plan import Plan
from sizeup.readers import catalogue, gguf_files, hub_list, names, registry
from sizeup.readers.catalogue import spec as catalogue_spec
from sizeup.readers.hub_list import RepoFile, Repository
from sizeup.readers.online import Reference, reference
from sizeup.search import fit

from . import choose
from .places import TOOLS, Cache, OllamaStore, Place, Plain, root

PATIENT = Patience(longest_asked_s=310.0)
"""A pull may wait out a whole window of the hub's rate limit, five minutes; a question may not."""
NOT_NEEDED = (".bin", ".pt", ".pth", ".ckpt", ".onnx", ".gguf", ".h5", ".msgpack", ".ot", ".tflite", ".mlmodel", ".png", ".jpg", ".mp4")
"""Endings of files that a checkpoint in safetensors does not need: the same weights in other formats, and pictures."""


@dataclass(frozen=True)
class Pull:
    """What will be pulled: settled, and nothing fetched yet."""

    name: str
    """The repository or tag."""
    quant: str
    tool: str
    """One of TOOLS, or "" for a plain folder."""
    folder: Path
    items: tuple[Item, ...]
    place: Place
    plan: Plan | None
    why: str
    wished: str = ""
    client: Client | None = None
    failed: Callable[[Status], SizeupError] | None = None

    @property
    def bytes(self) -> int:
        return sum(item.bytes for item in self.items)

    @property
    def missing_bytes(self) -> int:
        """What is still to come."""
        return missing_bytes(self.items)

    def fetch(self, tell: Tell = lambda event: None) -> Path:
        """Fetch everything, then let the tool see it. The path of the weights. Raises SizeupError or Stopped; what came is kept."""
        assert self.client is not None
        check_room(self.folder, self.missing_bytes)
        for number, item in enumerate(self.items):
            tell(Event("file", item.name, number, len(self.items)))
            Download(self.client, item, tell, failed=self.failed).run()
        return self.place.finish()

    def command(self, path: Path) -> str:
        """What to type next."""
        if self.tool == "ollama":
            return f"ollama run {self.name}"
        if self.tool == "hf":
            return f"vllm serve {self.name}"
        if self.tool == "llama.cpp":
            return f"llama-server -hf {self.name}{':' + self.quant if self.quant else ''}"
        return "lms ls" if self.tool == "lmstudio" else f"sizeup run {path}"


class Puller:
    """Settles what a name means, for a machine and a tool. Closes its connections at the end of `with`."""

    def __init__(self, machine: Machine, offline: bool = False, waited: Callable[[float, str], None] | None = None) -> None:
        because = offline_because(True if offline else None)
        if because:
            raise Unavailable(f"Pulling needs the network, which {because} forbids.", "the same without it")
        self.machine = machine
        self._waited = waited
        self._clients: list[Client] = []

    def __enter__(self) -> Puller:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients:
            client.close()

    def stop(self) -> None:
        for client in self._clients:
            client.waiter.stop.set()

    def settle(self, name: str, quant: str | None = None, tool: str | None = None, to: Path | None = None, projector: bool = True) -> Pull:
        """What `name` means. Raises NotFound, UserError, Unavailable; and Unreadable for what a hostile server says."""
        if tool is not None and tool not in TOOLS:
            raise UserError(f"“{tool}” is no tool that models are pulled for.", ", ".join(TOOLS))
        if name.startswith("ollama:"):
            return self._ollama(registry.parse(name), tool, to, quant)
        wanted = reference(name)
        if wanted is not None:
            quant = quant or wanted.quant
            found = self._repository(wanted, quant, tool, to, projector)
            if found is not None:
                return found
        try:
            spec = catalogue.find(wanted.id if wanted else name)
        except NotFound as error:
            hint = (
                f"{error.hint}; or ORG/NAME of a repository with GGUF files" if error.hint else "ORG/NAME of a repository with GGUF files"
            )
            raise NotFound(error.message, hint) from None
        if tool == "hf":
            return self._whole(hub_list.repository(self._hub(), str(spec.card["id"])), tool, to)
        if tool == "ollama":
            plan = fit(spec, self.machine, quant=quant)[0]
            if tag := choose.ollama_tag(spec, plan.quant):
                why = "asked" if quant is not None or spec.mix else "plan"
                return replace(
                    self._ollama(registry.parse(tag), tool, to, None), plan=plan, quant=plan.quant, why=why if plan.fits else "unfit"
                )
        return self._gguf(choose.of_catalogue(self._hub(), spec, self.machine, quant), tool, to, projector)

    def _repository(self, wanted: Reference, quant: str | None, tool: str | None, to: Path | None, projector: bool) -> Pull | None:
        """Of a repository that is named; None when it holds no GGUF, the tool needs one, and the catalogue may know where one is."""
        kept = self._hub()
        number = names.by_id(wanted.id)
        try:
            repo = hub_list.repository(kept, wanted.id, wanted.revision)
        except NotFound:
            if not wanted.exact and (number is not None or names.by_name(wanted.id) is not None):
                return None
            raise
        if tool == "hf" or not gguf_files.models(repo):
            if tool == "hf" or (tool is None and to is not None and number is None):
                return self._whole(repo, tool, to)
            if number is not None:
                return None
            raise gguf_files.lacking(repo) or NotFound(
                f"{repo.id} holds no GGUF model.", f"sizeup pull {repo.id} --for hf, or a repository whose name ends in -GGUF"
            )
        known = catalogue_spec(number) if number is not None else None
        return self._gguf(choose.of_repository(kept, repo, self.machine, quant, wanted.file, known), tool, to, projector)

    def _gguf(self, choice: choose.Choice, tool: str | None, to: Path | None, projector: bool) -> Pull:
        """A GGUF of the hub, for any tool."""
        repo, model = choice.repo, choice.model
        if tool == "ollama":
            # The hub speaks as a registry of Ollama's, and makes the template and parameters of a tag.
            owner, _, own = repo.id.partition("/")
            named = registry.Name("hf.co", owner, own, model.quant or "latest")
            return replace(self._ollama(named, tool, to, None), plan=choice.plan, quant=model.quant, why=choice.why, wished=choice.wished)
        beside = gguf_files.projector(repo) if projector else None
        files = (*model.files, *([beside] if beside is not None else []))
        return self._settled(
            repo, files, model.quant, tool or ("" if to is not None else "llama.cpp"), to, choice.plan, choice.why, choice.wished
        )

    def _whole(self, repo: Repository, tool: str | None, to: Path | None) -> Pull:
        """A checkpoint in safetensors with all that it needs."""
        paths = [file.path for file in repo.files]
        files = [file for file in repo.files if not file.path.lower().endswith(NOT_NEEDED) and not file.name.startswith("consolidated")]
        if not any(path.endswith(".safetensors") for path in paths):
            raise gguf_files.lacking(repo) or NotFound(
                f"{repo.id} holds no safetensors files.", "a repository that does, or one whose name ends in -GGUF"
            )
        # The weights come first, so that a disk or a licence that forbids them is known at once.
        files.sort(key=lambda file: (not file.path.endswith(".safetensors"), file.path))
        return self._settled(repo, tuple(files), "", tool or "", to, None, "whole", "")

    def _settled(
        self,
        repo: Repository,
        files: tuple[RepoFile, ...],
        quant: str,
        tool: str,
        to: Path | None,
        plan: Plan | None,
        why: str,
        wished: str,
    ) -> Pull:
        folder = to if to is not None else root(tool)
        place: Place
        if tool in ("hf", "llama.cpp"):
            place = Cache(folder, repo, files)
        else:
            place = Plain(folder, repo, files, lmstudio=tool == "lmstudio", flat=why != "whole")
        kept = self._hub()

        def failed(error: Status) -> SizeupError:
            return hub_list.in_words(error, repo.id, kept.client.has_token, repo.home)

        items = tuple(place.items())
        if len({item.path for item in items}) != len(items) and tool not in ("hf", "llama.cpp"):
            raise UserError(f"{repo.id} holds two files of one name.", "--for hf, which keeps folders apart")
        unique = tuple({item.path: item for item in items}.values())
        return Pull(repo.id, quant, tool, folder, unique, place, plan, why, wished, kept.client, failed)

    def _ollama(self, name: registry.Name, tool: str | None, to: Path | None, quant: str | None) -> Pull:
        """A tag of a registry, into Ollama's store."""
        if tool not in (None, "ollama"):
            raise UserError(f"“{name}” is a tag of Ollama's registry, and is pulled for ollama.", f"sizeup pull {name.model} --for {tool}")
        if quant is not None:
            raise UserError("A tag of Ollama's registry says its quantization itself.", f"ollama:{name.model}:TAG-{quant.lower()}")
        hub = hub_address()
        home = registry.home_of(name, registry_address(), hub)
        client = self._client(home, token() if home == hub else None)
        manifest = registry.manifest(Kept(client), name)
        folder = to if to is not None else root("ollama")
        if folder.is_dir() and not os.access(folder, os.W_OK):
            raise Unavailable(f"Ollama's store {folder} belongs to its service: this user may not write there.", f"ollama pull {name}")
        place = OllamaStore(folder, manifest)

        def failed(error: Status) -> SizeupError:
            return registry.in_words(error, name, home)

        return Pull(str(name), "", "ollama", folder, tuple(place.items()), place, None, "asked", "", client, failed)

    def _hub(self) -> Kept:
        home = hub_address()
        found = next((client for client in self._clients if client.home == home), None)
        return Kept(found or self._client(home, token()))

    def _client(self, home: str, account: str | None) -> Client:
        client = Client(home, account, patience=PATIENT, told=self._waited)
        self._clients.append(client)
        return client
