"""Which hosts may be asked, whatever a name resolves to today and a moment later."""

from __future__ import annotations

from typing import Any

import pytest

from sizeup.errors import Unavailable
from sizeup.net import Client
from sizeup.net.addresses import check, fair, public
from tests.online.hub import Hub
from tests.online.model import checkpoint


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255"),
        *(
            "::1",
            "::",
            "fe80::1%eth0",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "198.18.0.1",
            "nonsense",
        ),
    ],
)
def test_not_public(address: str) -> None:
    """This machine, private and reserved ranges, and each of them wrapped into IPv6."""
    assert not public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "18.64.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_public(address: str) -> None:
    assert public(address)


def test_what_a_proxy_answers_for_every_name() -> None:
    """The stand-in addresses of proxies are fair for a name, and not when they are named themselves."""
    assert fair("cdn.example", "198.18.0.5")
    assert not fair("198.18.0.5", "198.18.0.5")


def resolving(*found: str) -> Any:
    return lambda host, port, **rest: [(2, 1, 6, "", (address, port)) for address in found]


def test_a_name_with_one_address_inside() -> None:
    """One address inside is enough to refuse a name; a proxy looks names up itself."""
    check("cdn.example", 443, False, resolving("1.1.1.1"))
    check("cdn.example", 443, True, resolving("10.0.0.1"))
    with pytest.raises(Unavailable, match=r"cdn\.example \(10\.0\.0\.1\)"):
        check("cdn.example", 443, False, resolving("1.1.1.1", "10.0.0.1"))


def test_a_name_that_resolves_anew(world: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that was public when it was looked up and leads here when it is connected to is refused unread."""
    world.add("someone/small", checkpoint())
    storage = world.storage
    elsewhere = f"http://localhost:{storage.port}"
    from tests.online.site import Fault

    world.site.faults.append(Fault("/resolve/", "redirect", 1, to=f"{elsewhere}/x"))
    with Client(world.address, resolve=resolving("1.1.1.1")) as client, pytest.raises(Unavailable, match="localhost"):
        client.fetch(f"{world.address}/someone/small/resolve/main/config.json")
    assert len(storage.asked) == 1


def test_servers_ask_nobody(world: Hub) -> None:
    """A web server reads nothing online for others, also one that reads files."""
    from sizeup.errors import NotFound
    from sizeup.web.world import ServedWorld

    world.add("someone/small", checkpoint())
    for allowed in (False, True):
        with pytest.raises(NotFound, match="not in the shipped catalogue"):
            ServedWorld(allow_files=allowed).model("someone/small")
    assert world.site.asked == []
