"""The rows of a dataset file, one at a time: JSON lines, a JSON document, lines of text, Parquet. Files come from strangers.

Memory follows the longest row, not the file (but for a JSON document, which is read whole).
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from sizeup.errors import NotFound, Unavailable, Unreadable
from sizeup.units import show_bytes

LONGEST_ROW_BYTES = 64 << 20
LARGEST_DOCUMENT_BYTES = 512 << 20
LINES_OF_TEXT = (".txt", ".text", ".md")
FORMATS = "a .jsonl, .json, .txt or .parquet file"
_BATCH_ROWS = 1024


def rows(path: str | Path) -> Iterator[Any]:
    """Every row, as JSON has it: texts, numbers, lists, dictionaries. Raises NotFound, Unreadable or Unavailable in words."""
    file = _opened(Path(path))
    with file:
        start = file.read(4)
        file.seek(0)
        if start == b"PAR1":
            yield from _parquet(file, str(path))
        elif start[:2] in (b"\x1f\x8b", b"PK") or start == b"\x28\xb5\x2f\xfd":
            raise Unreadable(f"{path} is compressed.", "unpack it first")
        elif Path(path).suffix.lower() in LINES_OF_TEXT:
            yield from (text for text in (_text(line, path, number) for number, line in _lines(file, path)) if text.strip())
        elif Path(path).suffix.lower() == ".json" or start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"[":
            yield from _document(file, path)
        else:
            yield from _json_lines(file, path)


def _opened(path: Path) -> BinaryIO:
    try:
        kind = path.stat()
        if stat.S_ISDIR(kind.st_mode):
            raise Unreadable(f"{path} is a folder, not a file.", FORMATS)
        # A pipe or a device would wait or never end.
        if not stat.S_ISREG(kind.st_mode):
            raise Unreadable(f"{path} is not an ordinary file.", FORMATS)
        if not kind.st_size:
            raise Unreadable(f"{path} is empty.", FORMATS)
        return path.open("rb")
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}.", "check the path") from None
    except PermissionError:
        raise Unreadable(f"{path} may not be read by this user.", f"chmod u+r {path}") from None
    except (OSError, ValueError) as error:
        raise Unreadable(f"{path} cannot be opened: {getattr(error, 'strerror', None) or error}.", "another file") from None


def _lines(file: BinaryIO, path: str | Path) -> Iterator[tuple[int, bytes]]:
    """Lines that hold something, with their numbers."""
    number = 0
    while line := file.readline(LONGEST_ROW_BYTES + 1):
        number += 1
        if len(line) > LONGEST_ROW_BYTES:
            raise Unreadable(f"Line {number} of {path} is longer than {show_bytes(LONGEST_ROW_BYTES)}.", "one example a line")
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line.strip():
            yield number, line


def _json_lines(file: BinaryIO, path: str | Path) -> Iterator[Any]:
    for number, line in _lines(file, path):
        yield _parsed(line, f"Line {number} of {path}")


def _document(file: BinaryIO, path: str | Path) -> Iterator[Any]:
    """The elements of a list, of the only list in an object, or the lines of what is called .json and is none."""
    content = file.read(LARGEST_DOCUMENT_BYTES + 1)
    if len(content) > LARGEST_DOCUMENT_BYTES:
        raise Unreadable(
            f"{path} is one JSON document of more than {show_bytes(LARGEST_DOCUMENT_BYTES)}.", "a .jsonl file, one example a line"
        )
    try:
        whole = _parsed(content.removeprefix(b"\xef\xbb\xbf"), str(path))
    except Unreadable:
        file.seek(0)
        first = next((line for _, line in _lines(file, path)), b"")
        file.seek(0)
        if first.strip() == content.strip() or not first.lstrip().startswith(b"{"):
            raise
        yield from _json_lines(file, path)
        return
    if isinstance(whole, dict):
        lists = [value for value in whole.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
        whole = lists[0] if len(lists) == 1 and not _is_talk(whole) else [whole]
    yield from whole if isinstance(whole, list) else [whole]


def _is_talk(row: dict[str, Any]) -> bool:
    from .fields import TALKS

    return any(name in row for name in TALKS)


def _parsed(content: bytes, what: str) -> Any:
    import msgspec

    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Unreadable(f"{what} is not JSON.", FORMATS) from None
    except RecursionError:
        raise Unreadable(f"{what} is nested too deeply.", FORMATS) from None


def _text(line: bytes, path: str | Path, number: int) -> str:
    try:
        return line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise Unreadable(f"Line {number} of {path} is not UTF-8.", "iconv -t UTF-8") from None


def _parquet(file: BinaryIO, name: str) -> Iterator[Any]:
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise Unavailable(
            f"{name} is Parquet, which the package pyarrow reads.", 'pip install ".[data]" in the folder of sizeup, or a .jsonl file'
        ) from None
    try:
        for batch in parquet.ParquetFile(file).iter_batches(_BATCH_ROWS):
            yield from batch.to_pylist()
    # pyarrow's errors have no base of their own, and its decoders raise what their codecs raise.
    except Exception:
        raise Unreadable(f"{name} is not a Parquet file that can be read.", "download it again") from None
