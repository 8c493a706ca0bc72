"""Tokens counted by the embedded llama.cpp itself: the vocabulary of a GGUF file in a child process, without its weights."""

from __future__ import annotations

import json
import subprocess
import sys
import weakref
from collections.abc import Sequence
from pathlib import Path

from ...errors import Unavailable, Unreadable
from .library import installed_version
from .server import first, stop


class EngineTokenizer:
    """Counts with the engine's own tokenizer, whatever kind the vocabulary is of. Its child ends with it."""

    def __init__(self, path: Path) -> None:
        """Raises Unavailable without the engine, Unreadable for a file that it refuses."""
        installed_version()
        command = [sys.executable, "-m", "sizeup.engines.llamacpp.vocabulary_child"]
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.close = weakref.finalize(self, stop, self._child)
        said = self._asked({"path": str(path.resolve())})
        if said.get("event") != "ready":
            self.close()
            raise Unreadable(f"The engine cannot use the vocabulary of {path}.", "download it again")

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text. Raises Unavailable when the engine ended."""
        # A lone half of a surrogate pair is no text; JSON escapes keep the rest as it is.
        counts = self._asked({"texts": list(texts)}).get("counts")
        if not isinstance(counts, list):
            self.close()
            raise Unavailable("The engine's process ended while it counted tokens.", 'pip install ".[tokens]" in the folder of sizeup')
        return counts

    def _asked(self, question: dict[str, object]) -> dict[str, object]:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        try:
            self._child.stdin.write(json.dumps(question).encode() + b"\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            return {}
        return first(self._child.stdout)
