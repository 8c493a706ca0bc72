"""The page's files as they lie: libraries of others unchanged, every word in the catalogue, nothing from elsewhere."""

from __future__ import annotations

import hashlib
import re

from sizeup.i18n import LANGUAGES, texts
from sizeup.web.static import FOLDER

SCRIPTS = [path for path in sorted(FOLDER.rglob("*.js")) if "vendor" not in path.parts and "browser" not in path.relative_to(FOLDER).parts]
CODE = "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
MADE = ("view_", "run_", "verdict_", "theme_", "sentence_", "machines", "models", "machine", "model")
"""Beginnings of page keys that the scripts put together."""


def test_libraries_of_others_are_what_they_were() -> None:
    """Every vendored file has the checksum that is kept beside it."""
    lines = (FOLDER / "vendor" / "SHA256SUMS").read_text(encoding="ascii").split()
    kept = dict(zip(lines[1::2], lines[::2], strict=True))
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (FOLDER / "vendor").iterdir()}
    assert found | kept == found
    assert set(found) - set(kept) == {"README.md", "SHA256SUMS"}


def test_every_word_exists_and_is_used() -> None:
    """Each page key in the scripts is in the catalogue of every language, and no key of the catalogue is left over."""
    named = {f"page.{name}" for name in re.findall(r'"page\.([a-z_]+)"', CODE)}
    for language in LANGUAGES:
        known = set(texts(language).group(("page",)))
        assert named - known == set()
        assert {key for key in known - named if not key.removeprefix("page.").startswith(MADE)} == set()


def test_nothing_comes_from_elsewhere() -> None:
    """No address of another host stands in the page's own scripts, styles or HTML."""
    text = CODE + "".join(path.read_text(encoding="utf-8") for path in (*FOLDER.glob("*.css"), *FOLDER.glob("*.html")))
    assert [url for url in re.findall(r"https?://[^\s\"')]+", text) if not url.startswith("http://www.w3.org/")] == []
