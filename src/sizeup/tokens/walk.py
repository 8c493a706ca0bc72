"""Which files are meant by the names that a person gives: files themselves, and what is for reading in folders."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sizeup.errors import NotFound, SizeupError, Unreadable

MADE = frozenset((
    "node_modules", "__pycache__", "site-packages", "bower_components", "build", "dist", "target", "out", "obj", "_build", "htmlcov",
    "DerivedData", "Pods", "venv", "env", "vendor",
))  # fmt: skip
"""Folders that tools make: dependencies and build outputs."""
LOCKS = frozenset((
    "package-lock.json", "yarn.lock", "pnpm-lock.yaml", "poetry.lock", "uv.lock", "Cargo.lock", "Gemfile.lock", "composer.lock", "go.sum",
))  # fmt: skip
"""Files that tools write for themselves."""
MOST_FILES = 200_000

Tell = Callable[[str], None]


class Lying(NamedTuple):
    """A regular file that is meant."""

    path: Path
    named: bool
    """By the person, rather than found in a folder."""


Passed = Callable[[str], None]
"""Told why something in a folder is left out: hidden, made, ignored, locked, link, special; "unread" of rules that could not be read."""


def files(names: Sequence[str], passed: Passed, refused: Callable[[str, SizeupError], None], everything: bool = False) -> Iterator[Lying]:
    """Every file that is meant, each once, in order of names; folders are entered, links in them are not.

    `everything` leaves nothing out but links and what is no ordinary file. `refused` is told what cannot be read at all.
    """
    seen: set[str] = set()
    for name in names:
        try:
            if not name:
                raise NotFound("A file without a name is named.", "a file or a folder; . is this one")
            path = Path(name).expanduser() if name.startswith("~") else Path(name)
            mode = path.stat().st_mode
            inside = _folder(path, passed, refused, everything) if stat.S_ISDIR(mode) else iter((Lying(path, True),))
            if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
                raise Unreadable(f"{path} is not an ordinary file.", "a file or a folder")
        except SizeupError as error:
            refused(name, error)
            continue
        except (OSError, ValueError, RuntimeError) as error:
            refused(name, _said(name, error))
            continue
        for found in inside:
            real = os.path.realpath(found.path)
            if real not in seen:
                seen.add(real)
                if len(seen) > MOST_FILES:
                    raise Unreadable(f"There are more than {MOST_FILES:,} files in {name}.", "a smaller folder")
                yield found


def _folder(top: Path, passed: Passed, refused: Callable[[str, SizeupError], None], everything: bool) -> Iterator[Lying]:
    waiting: list[tuple[Path, tuple[tuple[Path, Any], ...]]] = [(top, ())]
    while waiting:
        folder, rules = waiting.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            refused(str(folder), _said(str(folder), error))
            continue
        if not everything:
            rules = _with_rules(folder, rules, passed)
        inside: list[tuple[Path, tuple[tuple[Path, Any], ...]]] = []
        for entry in entries:
            path = Path(entry.path)
            try:
                if entry.is_symlink():
                    passed("link")
                elif entry.is_dir(follow_symlinks=False):
                    if why := "" if everything else _left_out(path, rules, True):
                        passed(why)
                    else:
                        inside.append((path, rules))
                elif not entry.is_file(follow_symlinks=False):
                    passed("special")
                elif why := "" if everything else _left_out(path, rules, False):
                    passed(why)
                else:
                    yield Lying(path, False)
            except OSError as error:
                refused(entry.path, _said(entry.path, error))
        waiting += reversed(inside)


def _left_out(path: Path, rules: Sequence[tuple[Path, Any]], folder: bool) -> str:
    """Why something in a folder is not for reading; "" when it is."""
    if path.name.startswith("."):
        return "hidden"
    if folder and (path.name in MADE or path.name.endswith(".egg-info") or (path / "pyvenv.cfg").exists()):
        return "made"
    if not folder and path.name in LOCKS:
        return "locked"
    ignored = False
    for top, spec in rules:
        # The innermost file that says anything decides: it may take back what one above it ignores.
        said = spec.check_file(path.relative_to(top).as_posix() + ("/" if folder else "")).include
        ignored = ignored if said is None else said
    return "ignored" if ignored else ""


def _with_rules(folder: Path, rules: tuple[tuple[Path, Any], ...], passed: Passed) -> tuple[tuple[Path, Any], ...]:
    """With what the folder's own .gitignore says; without the library that reads it, as before."""
    path = folder / ".gitignore"
    if not path.is_file():
        return rules
    try:
        import pathspec
    except ImportError:
        passed("unread")
        return rules
    try:
        return (*rules, (folder, pathspec.GitIgnoreSpec.from_lines(path.read_text("utf-8", "replace").splitlines())))
    except (OSError, ValueError):
        passed("unread")
        return rules


def _said(name: str, error: Exception) -> SizeupError:
    """The system's refusal as a sentence."""
    if isinstance(error, FileNotFoundError):
        return NotFound(f"There is no file {name}.", "check the path")
    if isinstance(error, PermissionError):
        return Unreadable(f"{name} may not be read by this user.", f"chmod u+r {name}")
    return Unreadable(f"{name} cannot be opened: {getattr(error, 'strerror', None) or error}.", "another file")


def opened(path: Path) -> Any:
    """The file for reading; never waits for a pipe. Raises NotFound or Unreadable."""
    try:
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0))
    except (OSError, ValueError) as error:
        raise _said(str(path), error) from None
    file = os.fdopen(number, "rb")
    found = os.fstat(number)
    if not stat.S_ISREG(found.st_mode):
        file.close()
        raise Unreadable(f"{path} is not an ordinary file.", "a file or a folder")
    if not found.st_size:
        file.close()
        raise Unreadable(f"{path} is empty.", "a file with something in it")
    return file
