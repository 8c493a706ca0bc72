"""Names from a server as paths inside a folder: what would lead out of it is refused."""

from __future__ import annotations

import re
from pathlib import Path

from sizeup.errors import Unreadable

RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\\:*?\"<>|\u202a-\u202e\u2066-\u2069]")
LONGEST = 200
MOST_FOLDERS = 12


def inside(folder: Path, name: str) -> Path:
    """`folder` with a relative name of a server behind it, folders in it divided by slashes.

    Raises Unreadable for an absolute name, one that climbs, and one that some system takes for something else than a file.
    """
    parts = name.split("/")
    if len(parts) > MOST_FOLDERS or not all(_sound(part) for part in parts):
        raise Unreadable(f"The server names a file “{name[:120]}”, which is no path inside {folder}.", "another repository or tag")
    return folder.joinpath(*parts)


def _sound(part: str) -> bool:
    return (
        0 < len(part.encode("utf-8", "replace")) <= LONGEST
        and part not in (".", "..")
        and not FORBIDDEN.search(part)
        and not part.endswith((".", " "))
        and part[0] != " "
        and part != "~"
        and not RESERVED.fullmatch(part)
    )
