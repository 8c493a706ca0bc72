"""An answer's text on its way to whoever reads it: whole characters, and not oftener than anybody can see."""

from __future__ import annotations

from collections.abc import Callable

SHOWN_EVERY_S = 0.05
"""A piece wakes the parent, which takes a core from the engine for a moment; a small model makes a hundred a second."""


class Pieces:
    """Tokens as they come, given on as text: at once or, where they come faster, together."""

    def __init__(self, give: Callable[[str], None], every_s: float = SHOWN_EVERY_S) -> None:
        self._give, self._every_s = give, every_s
        self._tokens: list[int] = []
        self._rest = b""
        self._due = 0.0

    def add(self, token: int, now: float, text_of: Callable[[int], bytes]) -> None:
        """The next token, at this second."""
        self._tokens.append(token)
        if now >= self._due:
            self._due = now + self._every_s
            self.end(text_of)

    def end(self, text_of: Callable[[int], bytes]) -> None:
        """Give what waits; a character that is not whole goes on waiting."""
        text, self._rest = whole_characters(self._rest + b"".join(map(text_of, self._tokens)))
        self._tokens.clear()
        if text:
            self._give(text)


def whole_characters(data: bytes) -> tuple[str, bytes]:
    """The longest prefix that is whole UTF-8 characters, and the bytes to wait with."""
    try:
        return data.decode(), b""
    except UnicodeDecodeError as error:
        if len(data) - error.start < 4 and error.reason == "unexpected end of data":
            return data[: error.start].decode(), data[error.start :]
        return data.decode("utf-8", "replace"), b""
