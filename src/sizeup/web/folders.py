"""Folders that were named at start, as they are: engines for the browser page, model files in ranges. Nothing outside of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse, Response

from .static import BROWSER_POLICY, ISOLATED, SAFE, TYPES

ABSENT = b"There is no such file.\n"


class Folder:
    """One folder; a link that leads out of it does not exist, and neither does a name that begins with a dot."""

    def __init__(self, root: Path, prefix: str) -> None:
        self.root, self.prefix = root.resolve(), prefix

    async def answer(self, request: Any) -> Any:
        """A file, whole or the ranges that are asked for; there are no listings."""
        path = self.inside(request.scope["path"].removeprefix(self.prefix))
        if path is None:
            return Response(ABSENT, 404, SAFE, "text/plain")
        headers = {**SAFE, **ISOLATED, "content-security-policy": BROWSER_POLICY, "cache-control": "no-cache"}
        return FileResponse(path, headers=headers, media_type=TYPES.get(path.suffix, "application/octet-stream"))

    def inside(self, name: str) -> Path | None:
        """The regular file of this name in the folder; None when there is none."""
        pieces = name.split("/")
        if "\0" in name or "\\" in name or any(not piece or piece.startswith(".") for piece in pieces):
            return None
        try:
            path = self.root.joinpath(*pieces).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):
            return None
        return path if path.is_relative_to(self.root) and path.is_file() and os.access(path, os.R_OK) else None
