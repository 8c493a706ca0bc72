"""A log as people have it, made lines: any encoding, colours, prefixes of docker and journald, quotes, lines that a window broke."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

MOST_BYTES = 32 << 20
"""Of a log are read; what an engine says of its memory stands near the start."""
LONGEST_LINE = 1 << 15
"""Characters of a line that are looked at; argument lists of servers have about ten thousand."""
NARROWEST, WIDEST = 60, 400
"""Columns that a terminal may have broken lines at."""

_COLOUR = re.compile(r"\x1b\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)|\x1b\[[0-?]{0,32}[ -/]{0,8}[@-~]")
_COLOUR_LEFT = re.compile(r"\[(?:\d{1,3}(?:;\d{1,3}){0,4})?m")
"""A colour whose escape character was lost on the way through a clipboard."""
_QUOTE = re.compile(r"\s*(?:>\s?)+|\s*[│┃]\s?")
"""What a thread or a box puts before each line that is shown."""
_PREFIXES = tuple(
    re.compile(pattern)
    for pattern in (
        r"\w[\w.-]{0,62}\s+\| ",  # docker compose
        r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d) +(?:(?:stdout|stderr) [FP] )?",  # docker -t, Kubernetes
        r"[^\W\d]{2,9}\.? +\d{1,2} \d\d:\d\d:\d\d \S{1,64} [^\s:\[\]]{1,64}(?:\[\d{1,9}\])?: ",  # journald
        r"[a-z][\w.-]{0,62}\[\d{1,9}\]: ",  # its process alone
        r"\[\d{2,9}\] (?=\d+\.\d\d\.)",  # llama-server's router
        r"\[[Ll]lama \w{1,16}\]: ",  # LLamaSharp
    )
)
_STAMP = re.compile(r"\d{1,4}\.\d\d\.\d{3}\.\d{3} [A-Z] ")
"""llama.cpp's own time and level."""
_BEGINS = re.compile(
    r"\s*(?:\[?\d{4}-\d\d-\d\d[ T]|\d{1,4}\.\d\d\.\d{3}\.\d{3} |time=\d{4}-|(?:INFO|WARN|WARNING|ERROR|DEBUG)\b|\{\"|```"
    r"|\((?:EngineCore|Worker|APIServer|Vllm)|(?:llama|llm|ggml|common|clip|load|print|sched|graph|resolve|system|build|main|init)\w*: |(?:srv|slot) +\w+: |Device \d)"
)
"""How a line of its own begins, when nothing stands before it."""


def decoded(raw: bytes) -> str:
    """The text of a log in UTF-8 or UTF-16, with or without its mark; what is no character becomes a mark of its own."""
    raw = raw[:MOST_BYTES]
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    head = raw[:2048]
    if len(head) > 8 and head.count(0) > len(head) // 4:
        return raw.decode("utf-16-be" if head[0] == 0 else "utf-16-le", "replace")
    return raw.decode("utf-8-sig", "replace")


def lines(text: str) -> list[tuple[int, str]]:
    """(number, line without what others wrote around it). Broken lines are joined under the number of their first piece."""
    shown = [(number, _shown(line)) for number, line in enumerate(_split(text), 1)]
    return [(number, _bare(line)) for number, line in _joined(shown)]


def _split(text: str) -> Iterator[str]:
    # A lone carriage return is how progress bars go back; what stands before it is old.
    for line in re.split(r"\r\n|\n|\r", text):
        yield line[:LONGEST_LINE].replace("\x00", "")


def _shown(line: str) -> str:
    """The line as it stood in its window."""
    line = _COLOUR.sub("", line)
    if found := _QUOTE.match(line):
        line = line[found.end() :]
        if line.endswith(("│", "┃")):
            line = line[:-1].rstrip()
    return line


def _bare(line: str) -> str:
    if "m" in line[:64] and "[" in line[:64]:
        line = _COLOUR_LEFT.sub("", line)
    for _ in range(3):  # the journal of a container has two
        found = _prefix(line)
        if found is None:
            break
        line = line[found.end() :]
    return (_STAMP.sub("", line, count=1) if line[:1].isdigit() else line).rstrip()


def _prefix(line: str) -> re.Match[str] | None:
    return next((found for prefix in _PREFIXES if (found := prefix.match(line))), None)


def _joined(rows: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    width = _broken_at([line for _, line in rows])
    index = 0
    while index < len(rows):
        number, line = rows[index]
        pieces, index = [line], index + 1
        # A blank at the very edge is often lost.
        while (
            width
            and width - 1 <= len(pieces[-1]) <= width
            and len(pieces) <= LONGEST_LINE // width
            and index < len(rows)
            and _goes_on(rows[index][1])
        ):
            pieces[-1] = pieces[-1].ljust(width)
            pieces.append(rows[index][1])
            index += 1
        yield number, "".join(pieces)


def _goes_on(line: str) -> bool:
    """Whether a line may be the rest of the one before it."""
    return bool(line) and not _BEGINS.match(line) and _prefix(line) is None


def _broken_at(every: list[str]) -> int:
    """The column at which a window broke the lines; 0 when none did: then the longest lines are of all lengths."""
    lengths = Counter(len(line) for line in every if line)
    longest = max(lengths, default=0)
    return longest if NARROWEST <= longest <= WIDEST and lengths[longest] >= 2 else 0
