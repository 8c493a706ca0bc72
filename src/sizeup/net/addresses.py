"""Which hosts may be asked. A server may send on to another one, but never to an address inside this machine or its network."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import SplitResult

from sizeup.errors import Unavailable

Resolve = Callable[..., Sequence[tuple[Any, ...]]]
"""As socket.getaddrinfo."""

CARRIERS = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
"""IPv6 networks whose last 32 bits are an IPv4 address (RFC 6052, RFC 8215)."""

STAND_IN = ipaddress.ip_network("198.18.0.0/15")
"""Addresses that many proxies on people's machines (Clash, sing-box) answer for every name, and then pass on. They are for benchmarks
of networks (RFC 2544), so that nothing of anybody's lies there."""


def public(text: str) -> bool:
    """Whether an address belongs to the public network: not this machine, not a private or reserved range, nor one of these wrapped."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and any(address in carrier for carrier in CARRIERS):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
    return address.is_global and not address.is_multicast


def fair(host: str, address: str) -> bool:
    """Whether a host that resolves to this address may be asked: a public one, or what a proxy answers in place of any name."""
    if public(address):
        return True
    try:
        return ipaddress.ip_address(address) in STAND_IN and not _literal(host)
    except ValueError:
        return False


def _literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def origin(parts: SplitResult) -> tuple[str, str, int]:
    """Scheme, host and port: what a token belongs to."""
    return parts.scheme, (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)


def check(host: str, port: int, by_proxy: bool, resolve: Resolve = socket.getaddrinfo) -> None:
    """Raise Unavailable for a host that is, or resolves to, an address that is not public. A proxy looks names up itself."""
    if _literal(host):
        addresses = [host]
    elif by_proxy:
        return
    else:
        try:
            addresses = [str(row[4][0]) for row in resolve(host, port, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError):
            raise Unavailable(f"The server's address {host} is not known.", "again with a network") from None
    inside = [address for address in addresses if not fair(host, address)]
    if inside or not addresses:
        raise refused(host, inside[0] if inside else "")


def refused(host: str, address: str) -> Unavailable:
    """The error for a server that sends its visitors into their own network."""
    where = host if address in ("", host) else f"{host} ({address})"
    return Unavailable(
        f"The server sends on to {where}, an address of this machine or its own network: not followed.",
        "that address in HF_ENDPOINT, if it is a mirror of yours",
    )
