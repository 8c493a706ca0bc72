"""How people write the names of cards, chips and processors, and the one compact form that all of it comes down to."""

from __future__ import annotations

import re

BRANDS = r"\b(nvidia|ryzen[ -]ai|geforce|amd|radeon|instinct|intel|apple|tesla|graphics|generation|gpu|processor|edition|le|hbm3|hbm2e)\b|\((r|tm)\)"
FAMILIES = ("quadro", "rtx", "gtx", "rx", "arc")
"""People leave these out: a 4090 is an RTX 4090."""
WHOLE = r"\b(macbook([\s-]+(air|pro))?|mac[\s-]+(mini|studio|pro)|imac([\s-]+pro)?)\b([\s-]+\d\d([\s-]?inch\b|[\"″])?(?=\s))?(?=.*\bm\d)"
"""What a Mac is called beside its chip: the chip says what it can do."""
LAPTOP = r"\b(laptop|mobile|notebook)\b|(?<=\d\d)m\b"
"""A laptop's part by any of its names: "RTX 4090 Laptop GPU", "RTX 4090 Mobile", "4090M"."""


def chip(name: str) -> str:
    """A name in lower case without what a Mac is called beside its chip: "MacBook Pro 14 M4 Max" -> "m4 max"."""
    return re.sub(WHOLE, " ", name.lower())


def compact(name: str) -> str:
    """A name without brands, spaces and punctuation: "NVIDIA GeForce RTX 4090" -> "rtx4090"; a laptop's part ends with an m."""
    text, laptop = re.subn(LAPTOP, " ", chip(name))
    text = re.sub(r"[^a-z0-9+]", "", re.sub(r"sxm[56]", "sxm", re.sub(BRANDS, " ", text)))
    return text + "m" * bool(laptop)


def split_memory(name: str) -> tuple[str, int | None]:
    """A name and the memory it ends with or holds ("m3-max-64gb" -> "m3-max", 64 GiB): vendors' GB of memory are GiB."""
    found = re.search(r"[\s_(-]*\b(\d+)[\s-]?gi?b\b\)?", name, re.IGNORECASE)
    if not found:
        return name, None
    return (name[: found.start()] + " " + name[found.end() :]).strip(" -_"), int(found[1]) << 30


def slug(name: str) -> str:
    """A name as one types it: "GeForce RTX 4060 Ti 16GB" -> "rtx-4060-ti-16gb"."""
    return re.sub(r"[^a-z0-9.+]+", "-", name.lower().removeprefix("geforce ")).strip("-")


def spellings(name: str, kind: str, aliases: tuple[str, ...] = ()) -> set[str]:
    """What a part may be called, compactly: without its memory, its remark in brackets, its family, its socket; and its other names."""
    bare = split_memory(name)[0]
    names = {name, bare, re.sub(r"\(.*?\)", "", bare), *aliases, *(split_memory(alias)[0] for alias in aliases)}
    short = {compact(text) for text in (*names, *re.findall(r"\((.*?)\)", name if kind == "igpu" else ""))}
    short |= {re.sub(r"(ada|blackwell)$", "", key) for key in short}
    short |= {re.sub(r"(sxm\d?|pcie|nvl|passive)(?=m?$)", "", key) for key in short}
    short |= {key.removeprefix(family) for key in short for family in FAMILIES if kind == "gpu"}
    if kind == "cpu":
        short |= {re.sub(r"^(core(?=i\d)|xeon(?=[ewgps])|ryzen\d(?=\d{4}))", "", key) for key in short}
    return short - {""}
