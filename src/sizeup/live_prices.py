"""What an hour of a device costs today, asked through the optional package gpuhunt; nothing is asked unless somebody wants it, nothing is kept."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

from .errors import NotFound, Unavailable, UserError
from .facts import Source
from .prices import Price
from .probe import table
from .probe.instances import instances, plain

ALIKE = 0.15
"""Share of its memory that a device may be off what an offer says: catalogues round, and count a driver's reserve or not."""

LONGEST_S = 90.0
"""After this long nobody waits any more; a single answer may take a quarter of it."""


class Item(Protocol):
    """An offer as gpuhunt gives it (its CatalogItem)."""

    provider: str
    instance_name: str
    location: str
    price: float
    gpu_count: int
    gpu_name: str | None
    gpu_memory: float | None
    """GB of each device."""


class Catalogue(Protocol):
    """What is asked of gpuhunt's Catalog: the providers' price lists that its makers publish. No account of any cloud is used."""

    def load(self) -> None:
        """Fetch them."""

    def query(self, *, min_gpu_count: int, spot: bool) -> Sequence[Item]:
        """Those offers."""


class Live(NamedTuple):
    """What the catalogues said."""

    prices: tuple[Price, ...]
    unknown: int
    """Offers of devices that the device table lacks, or of a part of a device: left out."""


def gpuhunt_catalogue() -> Catalogue:
    """The package's catalogue, nothing fetched yet. Raises Unavailable when it is not installed."""
    try:
        import gpuhunt
    except ImportError:
        raise Unavailable(
            "Today's prices come through the package gpuhunt, which is not installed here.",
            'pip install ".[prices]" in the folder of sizeup',
        ) from None
    # It logs tracebacks of what it could not fetch; what came of it is said here in a sentence.
    logging.getLogger("gpuhunt").addHandler(logging.NullHandler())
    catalogue: Catalogue = gpuhunt.Catalog(auto_reload=False)
    return catalogue


def live_prices(catalogue: Catalogue, waited: Callable[[int], None] = lambda seconds: None) -> Live:
    """Every offer on demand that is published now, with the device it rents; `waited` is told each second that goes by.

    Raises Unavailable without a network and when nothing comes in time.
    """
    items = _in_time(catalogue, waited)
    today = time.strftime("%Y-%m-%d")
    found = [price for item in items if (price := _price(item, today)) is not None]
    return Live(tuple(found), len(items) - len(found))


def _in_time(catalogue: Catalogue, waited: Callable[[int], None]) -> Sequence[Item]:
    """The offers, or the reason why there are none, before patience ends: it has no timeout of its own."""
    said: list[Sequence[Item]] = []
    failed: list[Exception] = []

    def ask() -> None:
        try:
            catalogue.load()
            said.append(catalogue.query(min_gpu_count=1, spot=False))
        except Exception as error:  # whatever a network, a page or another's code may raise: the caller has another table
            failed.append(error)

    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(LONGEST_S / 4)
    try:
        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        for second in range(1, round(LONGEST_S) + 1):
            asking.join(1)
            if not asking.is_alive():
                break
            waited(second)
    finally:
        socket.setdefaulttimeout(patience)
    if failed:
        cause = failed[0].__cause__ or failed[0]
        raise Unavailable(f"Today's prices could not be read ({type(cause).__name__}).", "again with a network") from failed[0]
    if not said:
        raise Unavailable(f"Today's prices did not come within {LONGEST_S:.0f} seconds.", "again with a network")
    if not said[0]:
        raise Unavailable("Today's prices came back empty.", "again later")
    return said[0]


def _price(item: Item, today: str) -> Price | None:
    """An offer as a row of prices; None when its device is not known or is only a part of one."""
    words = ""
    whole = instances().get(plain(item.instance_name))
    if whole is not None and whole.device and whole.cards == item.gpu_count:
        device = whole.device
    else:
        found = _device(item)
        if found is None:
            return None
        device, words = found
    where = f"gpuhunt {item.provider}" + (f"; {words}" if words else "")
    each = item.price / item.gpu_count
    return Price(item.provider, item.instance_name, device, item.gpu_count, each, None, item.location, "B", Source("read", where, today))


def _device(item: Item) -> tuple[str, str] | None:
    """The row of the device table, and what had to be chosen. Some name the exact card as an instance, most only its short name."""
    gigabytes = f"{item.gpu_memory or 0:g}"
    for name in (item.instance_name, f"{item.gpu_name} {gigabytes}GB", item.gpu_name or ""):
        if name == item.instance_name and not table.meant(name):
            continue
        with suppress(NotFound, UserError):
            part, _, words = table.part(name)
            if part.memory_bytes and abs(part.memory_bytes / 2**30 / (item.gpu_memory or 1) - 1) <= ALIKE:
                return part.name, " ".join(words)
    return None
