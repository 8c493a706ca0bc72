"""A hub as Hugging Face's, and a registry as Ollama's, on two loopback ports: the second is the object storage they send on to.

Read from: huggingface_hub 2.4.0 (hf_api.py: ModelInfo, RepoSibling, BlobLfsInfo; file_download.py; utils/_http.py: X-Error-Code,
RateLimit, X-Linked-ETag) and ollama main of 2026-08-21 (server/download.go, manifest/manifest.go). No such server is in a registry of
packages: these are the documented shapes, not the real programs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from tests.online.site import Answer, Asked, Site, git_oid, serving, sha256

COMMIT = "0123456789abcdef0123456789abcdef01234567"
GATED = {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access to model is restricted."}


@dataclass
class Repo:
    """A repository of the test's hub."""

    files: dict[str, bytes]
    gated: bool = False
    moved_to: str = ""
    private: bool = False


@dataclass
class Hub:
    """What both servers hold."""

    repos: dict[str, Repo] = field(default_factory=dict)
    tags: dict[str, bytes] = field(default_factory=dict)
    """`library/name/tag` -> manifest."""
    blobs: dict[str, bytes] = field(default_factory=dict)
    """sha256 -> content, of the registry and of LFS."""
    token: str = "hf_secret"
    site: Site = field(init=False)
    storage: Site = field(init=False)

    @property
    def address(self) -> str:
        return self.site.address

    def add(self, id: str, files: dict[str, bytes], **rest: bool) -> Repo:
        self.repos[id] = Repo(files, **rest)
        self.blobs.update({sha256(content): content for path, content in files.items() if in_lfs(path)})
        return self.repos[id]

    def add_tag(self, name: str, layers: dict[str, bytes], config: bytes = b"{}") -> bytes:
        """A tag of the registry: media type's last word -> content."""
        self.blobs.update({sha256(content): content for content in (*layers.values(), config)})
        said = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": entry("application/vnd.docker.container.image.v1+json", config),
            "layers": [entry(f"application/vnd.ollama.image.{kind}", content) for kind, content in layers.items()],
        }
        self.tags[name] = json.dumps(said).encode()
        return self.tags[name]

    def answer(self, asked: Asked) -> Answer:
        path = unquote(urlsplit(asked.path).path)
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path):
            return self._listed(asked, found[1], found[2] or "main")
        if found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            return self._resolved(asked, found[1], found[3])
        if found := re.fullmatch(r"/v2/([^/]+)/([^/]+)/manifests/([^/]+)", path):
            raw = self.tags.get("/".join(found.groups()))
            return Answer(200, {"Content-Type": "text/plain"}, raw) if raw else Answer(404, {}, b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
        if found := re.fullmatch(r"/v2/[^/]+/[^/]+/blobs/sha256:([0-9a-f]{64})", path):
            return Answer(307, {"Location": f"{self.storage.address}/{found[1]}?X-Amz-Signature=x"})
        return Answer(404)

    def _listed(self, asked: Asked, id: str, revision: str) -> Answer:
        repo = self.repos.get(id)
        if repo is None or (repo.private and asked.headers.get("authorization") != f"Bearer {self.token}"):
            return Answer(401, {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"}, b"{}")
        if repo.moved_to:
            return Answer(307, {"Location": f"/api/models/{repo.moved_to}?blobs=true"})
        if revision not in ("main", "v2", COMMIT):
            return Answer(404, {"X-Error-Code": "RevisionNotFound"}, b"{}")
        siblings = [listed(path, content) for path, content in repo.files.items()]
        body = json.dumps({"id": id, "sha": COMMIT, "gated": "manual" if repo.gated else False, "siblings": siblings}).encode()
        etag = f'W/"{git_oid(body)}"'
        if asked.headers.get("if-none-match") == etag:
            return Answer(304, {"ETag": etag})
        return Answer(200, {"ETag": etag, "Content-Type": "application/json", "RateLimit": '"api";r=499;t=299'}, body)

    def _resolved(self, asked: Asked, id: str, path: str) -> Answer:
        repo = self.repos.get(id)
        if repo is None or path not in repo.files:
            return Answer(404, {"X-Error-Code": "EntryNotFound"}, b"Entry not found")
        if repo.gated and asked.headers.get("authorization") != f"Bearer {self.token}":
            return Answer(403 if "authorization" in asked.headers else 401, GATED, b"{}")
        content = repo.files[path]
        common = {"X-Repo-Commit": COMMIT}
        if not in_lfs(path):
            return Answer(200, {**common, "ETag": f'"{git_oid(content)}"'}, content, ranged=True)
        linked = {"X-Linked-ETag": f'"{sha256(content)}"', "X-Linked-Size": str(len(content))}
        return Answer(302, {**common, **linked, "Location": f"{self.storage.address}/{sha256(content)}?Expires=1&Signature=x"})

    def stored(self, asked: Asked) -> Answer:
        digest = urlsplit(asked.path).path.strip("/")
        if "authorization" in asked.headers:
            # As S3 does: two ways to sign in at once are an error.
            return Answer(400, {}, b"<Error><Code>InvalidArgument</Code></Error>")
        content = self.blobs.get(digest)
        if content is None:
            return Answer(404)
        return Answer(200, {"ETag": f'"{digest[:32]}"', "Content-Type": "binary/octet-stream"}, content, ranged=True)


def in_lfs(path: str) -> bool:
    return path.endswith((".gguf", ".safetensors", ".bin"))


def listed(path: str, content: bytes) -> dict[str, object]:
    """A sibling as `?blobs=true` lists it."""
    found: dict[str, object] = {"rfilename": path, "size": len(content), "blobId": git_oid(content)}
    if in_lfs(path):
        found["lfs"] = {"sha256": sha256(content), "size": len(content), "pointerSize": 134}
    return found


def entry(kind: str, content: bytes) -> dict[str, object]:
    """A layer of a manifest."""
    return {"mediaType": kind, "digest": f"sha256:{sha256(content)}", "size": len(content)}


@contextmanager
def hub() -> Iterator[Hub]:
    """Both servers for the length of a test."""
    world = Hub()
    with serving(world.answer) as site, serving(world.stored) as storage:
        world.site, world.storage = site, storage
        yield world
