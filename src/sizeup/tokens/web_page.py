"""The words of a saved web page: what a reader sees, without markup, scripts and styles."""

from __future__ import annotations

import email
import email.policy
import html
import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from typing import BinaryIO

from sizeup.errors import Unreadable
from sizeup.units import show_bytes

SUFFIXES = (".html", ".htm", ".xhtml")
ARCHIVES = (".mhtml", ".mht")
LARGEST_ARCHIVE_BYTES = 256 << 20
"""An archive of a page with its pictures is parsed whole."""
LONGEST_TAG = 8 << 20
"""Characters: a picture may be written into a tag."""
SILENT = frozenset(("script", "style", "template", "svg", "noscript", "head", "iframe", "object", "math"))
BLOCKS = frozenset((
    "p", "div", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article", "header", "footer", "nav",
    "aside", "blockquote", "pre", "dt", "dd", "figcaption", "hr", "main", "form", "option", "title",
))  # fmt: skip
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*")
_CHARSET = re.compile(rb"""<meta[^>]{1,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_-]{2,40})""", re.IGNORECASE)


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in SILENT:
            self._silent.append(tag)
        elif tag == "body" or (self._silent == ["head"] and tag in BLOCKS and tag != "title"):
            # A head may end without saying so.
            self._silent.clear()
        elif tag in BLOCKS:
            self.parts.append("\n")
        elif tag == "td":
            self.parts.append(" ")

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        # <script/> and its like hold nothing.
        if tag in BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._silent:
            del self._silent[self._silent.index(tag) :]
        elif tag in BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)

    def give_up(self) -> None:
        """Take what is held back, as it has no end, for words: the parser's own way to end tries every beginning of a tag in it again."""
        self.handle_data(html.unescape(self.rawdata))
        self.rawdata = ""

    def taken(self) -> str:
        """What was read since it was last asked, up to the last whole line."""
        text = "".join(self.parts)
        at = text.rfind("\n") + 1
        self.parts = [text[at:]] if text[at:] else []
        return text[:at]


def words(markup: Iterable[str]) -> Iterator[str]:
    """The text of a page whose markup comes in any portions."""
    parser, first = _Words(), True
    for portion in markup:
        parser.feed(portion)
        if len(parser.rawdata) > LONGEST_TAG:
            parser.give_up()
        if said := _tidy(parser.taken()):
            yield said if first else "\n" + said
            first = False
    parser.give_up()
    if said := _tidy(parser.taken() + "".join(parser.parts)):
        yield said if first else "\n" + said


def _tidy(text: str) -> str:
    return _LINES.sub("\n", _SPACES.sub(" ", text)).strip()


def declared(sample: bytes) -> str:
    """The encoding that a page's own head names; "" when it names none that exists."""
    import codecs

    found = _CHARSET.search(sample)
    try:
        return codecs.lookup(found[1].decode("ascii")).name if found else ""
    except LookupError:
        return ""


def archived(file: BinaryIO, name: str) -> Iterator[str]:
    """The text of a page that is saved as one file with all that belongs to it. Raises Unreadable when it holds no page."""
    content = file.read(LARGEST_ARCHIVE_BYTES + 1)
    if len(content) > LARGEST_ARCHIVE_BYTES:
        raise Unreadable(f"{name} is an archive of more than {show_bytes(LARGEST_ARCHIVE_BYTES)}.", "the page saved as .html")
    try:
        whole = email.message_from_bytes(content, policy=email.policy.default)
        page = next((part for part in whole.walk() if part.get_content_type() in ("text/html", "application/xhtml+xml")), None)
        raw = page.get_payload(decode=True) if page is not None else None
        charset = str(page.get_content_charset() or "") if page is not None else ""
    # The package raises whatever its parts stumble over.
    except Exception:
        raise Unreadable(f"{name} is not an archive of a web page that can be read.", "the page saved as .html") from None
    if not isinstance(raw, bytes):
        raise Unreadable(f"{name} is not an archive of a web page that can be read.", "the page saved as .html")
    try:
        text = raw.decode(charset or declared(raw[:4096]) or "utf-8", "replace")
    except LookupError:
        text = raw.decode("utf-8", "replace")
    return words([text])
