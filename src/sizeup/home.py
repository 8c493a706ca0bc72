"""The one folder sizeup writes to: SIZEUP_HOME, or the system's place for user data. Nothing is ever written elsewhere."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from .errors import Unavailable


def data_dir() -> Path:
    """The user's data folder, made with rights for its owner only when it is first asked for.

    Raises Unavailable when it cannot be made.
    """
    folder = _folder()
    if not folder.is_dir():
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(
                f"The data folder {folder} cannot be made: {error.strerror or error}.", "SIZEUP_HOME=FOLDER with a folder of yours"
            ) from None
    return folder


def data_file(name: str) -> Path:
    """Where a file of the data folder lies or would lie; nothing is made."""
    return _folder() / name


def _folder() -> Path:
    given = os.environ.get("SIZEUP_HOME")
    if given:
        return Path(given).expanduser()
    if sys.platform == "linux":
        # As platformdirs says it (XDG Base Directory Specification): loading that takes a fortieth of a cold start.
        return Path(os.environ.get("XDG_DATA_HOME", "").strip() or Path.home() / ".local" / "share") / "sizeup"
    import platformdirs

    return Path(platformdirs.user_data_dir("sizeup", appauthor=False))


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file by `content`, whole or not at all: whoever reads it, or a kill at any moment, finds the old or the new one.

    Raises Unavailable when the disk is full or the folder is not writable; the old file is then still there.
    """
    import tempfile

    partial = ""
    try:
        handle, partial = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
        partial = ""
        keep_entry(path.parent)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror or error}.", "a folder with free space, by SIZEUP_HOME") from None
    finally:
        if partial:
            Path(partial).unlink(missing_ok=True)


def keep_entry(folder: Path) -> None:
    """Make the renamed entry itself survive a power cut, where the system lets a folder be synced."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
