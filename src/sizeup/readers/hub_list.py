"""What a repository of Hugging Face Hub holds: its files with sizes and checksums, at one commit, in one request.

Shapes: `GET /api/models/ID[/revision/REV]?blobs=true`, as huggingface_hub 2.4 reads it (ModelInfo, RepoSibling).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from sizeup.errors import NotFound, SizeupError, Unavailable, Unreadable
from sizeup.net import Kept, Status

REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9_][\w.-]{0,95}", re.ASCII)
REVISION = re.compile(r"[\w][\w./+-]{0,120}", re.ASCII)
COMMIT = re.compile(r"[0-9a-f]{40}")
SHA256 = re.compile(r"[0-9a-f]{64}")
MOST_FILES = 20_000
LARGEST_FILE_BYTES = 1 << 50


@dataclass(frozen=True, slots=True)
class RepoFile:
    """One file of a repository, as the list says. Nothing of it is proved."""

    path: str
    bytes: int | None
    sha256: str | None
    """Of the content, for files in Git LFS; None for others."""
    git_oid: str | None
    """Git's own SHA-1 of a file that is not in LFS."""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository at one commit."""

    home: str
    id: str
    """As it is called now: a renamed one answers with its new name."""
    revision: str
    commit: str
    gated: bool
    files: tuple[RepoFile, ...]

    def address(self, path: str) -> str:
        """Where a file is read; the commit in it means that its content never changes."""
        return f"{self.home}/{self.id}/resolve/{self.commit}/{quote(path)}"

    def find(self, path: str) -> RepoFile | None:
        return next((file for file in self.files if file.path == path), None)


def repository(kept: Kept, id: str, revision: str = "") -> Repository:
    """The repository of this id, at its main branch or at another branch, tag or commit.

    Raises NotFound with near names, Unavailable for one that may not be read, Unreadable for an answer that is no list.
    """
    if not REPOSITORY.fullmatch(id) or ".." in id or "--" in id:
        raise NotFound(f"“{id[:120]}” is no name of a repository.", "ORGANISATION/NAME, as the address of its page has it")
    if revision and (not REVISION.fullmatch(revision) or ".." in revision):
        raise NotFound(f"“{revision[:120]}” is no name of a revision.", "a branch, a tag or a commit")
    home = kept.client.home
    address = f"{home}/api/models/{id}" + (f"/revision/{quote(revision, safe='')}" if revision else "") + "?blobs=true"
    try:
        body = kept.read(address, fixed=bool(COMMIT.fullmatch(revision)))
    except Status as error:
        raise in_words(error, id, kept.client.has_token, home, revision) from None
    return parsed(body.content, home, id, revision)


def parsed(content: bytes, home: str, id: str, revision: str) -> Repository:
    """A repository from the hub's answer; every field is looked at, as it comes from a stranger."""
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        raise Unreadable(f"{home} answers for {id} with something else than JSON.", "the address of a hub in HF_ENDPOINT") from None
    commit, siblings = (said.get("sha"), said.get("siblings")) if isinstance(said, dict) else (None, None)
    if not isinstance(commit, str) or not COMMIT.fullmatch(commit) or not isinstance(siblings, list) or len(siblings) > MOST_FILES:
        raise Unreadable(f"{home} answers for {id} with no list of files.", "the address of a hub in HF_ENDPOINT")
    now = said.get("id")
    if not isinstance(now, str) or not REPOSITORY.fullmatch(now) or ".." in now:
        now = id
    files = tuple(file for entry in siblings if (file := _file(entry)) is not None)
    return Repository(home, now, revision or "main", commit, bool(said.get("gated")), files)


def _file(entry: object) -> RepoFile | None:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("rfilename"), str):
        return None
    lfs = entry.get("lfs")
    sha256 = lfs.get("sha256") if isinstance(lfs, Mapping) else None
    size = lfs.get("size") if isinstance(lfs, Mapping) and isinstance(lfs.get("size"), int) else entry.get("size")
    oid = entry.get("blobId")
    return RepoFile(
        entry["rfilename"],
        size if type(size) is int and 0 <= size <= LARGEST_FILE_BYTES else None,
        sha256 if isinstance(sha256, str) and SHA256.fullmatch(sha256) else None,
        oid if isinstance(oid, str) and COMMIT.fullmatch(oid) and not lfs else None,
    )


def in_words(error: Status, id: str, has_token: bool, home: str, revision: str = "") -> SizeupError:
    """A status of the hub in words."""
    code = error.headers.get("x-error-code", "")
    page = f"{home}/{id}"
    if error.status in (401, 403):
        if "invalid" in error.headers.get("x-error-message", "").lower() and has_token:
            return Unavailable(
                f"{home} does not take the token in HF_TOKEN.", "a new token from its settings page, or none for public models"
            )
        if code == "GatedRepo" or error.status == 403:
            return Unavailable(
                f"{id} is gated: its licence must be accepted before its files are read.",
                f"accept its licence at {page}, then " + ("a token of that account in HF_TOKEN" if has_token else "set HF_TOKEN"),
            )
        # The hub says 401 of what is private and of what does not exist, so that nobody learns which.
        return _missing(id, home)
    if error.status == 404 and code == "RevisionNotFound":
        return NotFound(f"{id} has no revision “{revision}”.", f"{id} alone, for its main branch")
    if error.status == 404:
        return _missing(id, home)
    if error.status == 429:
        wait = f"{error.asked_s:.0f} seconds" if error.asked_s is not None else "a while"
        hint = "again then" if has_token else "again then, or HF_TOKEN for a larger limit"
        return Unavailable(f"{home} takes no more requests for now: it asks to wait {wait}.", hint)
    return Unavailable(f"{home} answers {error.status} for {id}.", "again later")


def _missing(id: str, home: str) -> NotFound:
    from . import names

    near = names.near(id)
    return NotFound(
        f"{home} has no public repository {id}.", ", ".join(near) or "the name as its page has it, and HF_TOKEN for a private one"
    )
