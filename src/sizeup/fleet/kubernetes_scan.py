"""Looks at a Kubernetes cluster through kubectl, page by page: its nodes and what their pods were granted. Reads, never writes.

kubectl, because it is where the cluster is: it knows the contexts, the ways to sign in (tokens, certificates, programs of a cloud) and the
proxies that the user set up, and `get --raw` hands over the API's own pages. A client library would be 126 MB for the same two lists.
"""

from __future__ import annotations

import datetime
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from ..errors import NotFound, SizeupError, Unavailable, Unreadable
from .kubernetes_node import node
from .kubernetes_pods import granted
from .node import Inventory

PAGE = 500
PODS = "/api/v1/pods?fieldSelector=" + quote("status.phase!=Succeeded,status.phase!=Failed")
MOST_BYTES = 1 << 30
MOST_PAGES = 2_000
UNSEEN = "The pods may not be listed: what they were granted is not known, and all that is allocatable counts as free."
TYPED = "kubectl get nodes,pods --all-namespaces -o json > cluster.json, then --kubernetes-file cluster.json"


class Forbidden(Unavailable):
    """The user may not list this."""


def scan(context: str | None = None, server: str | None = None, timeout: float = 60.0) -> Inventory:
    """The cluster of this context, or of the current one. Raises Unavailable without kubectl or when the cluster does not answer."""
    if shutil.which("kubectl") is None:
        raise Unavailable("kubectl is not here.", TYPED)
    where = [*(("--context", context) if context else ()), *(("--server", server) if server else ())]
    date = _now()
    version = json.loads(_raw("/version", where, timeout)).get("gitVersion", "")
    nodes = list(_listed("/api/v1/nodes", where, timeout))
    warnings: tuple[str, ...] = ()
    try:
        taken: dict[str, dict[str, Any]] | None = granted(_listed(PODS, where, timeout))
    except Forbidden:
        taken, warnings = None, (UNSEEN,)
    address = server or _address(context)
    return inventory(nodes, taken, _plain(address), date, str(version), warnings)


def read(path: str) -> Inventory:
    """The same from what `kubectl get nodes,pods --all-namespaces -o json` printed; “-” is what comes in. Raises Unreadable, NotFound."""
    try:
        raw = sys.stdin.buffer.read(MOST_BYTES) if path == "-" else Path(path).read_bytes()
        items = json.loads(raw)["items"]
        nodes = [one for one in items if one["kind"] == "Node"]
        pods = [one for one in items if one["kind"] == "Pod"]
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}.", TYPED) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Unreadable(f"{path} is not what kubectl prints of nodes and pods.", TYPED) from None
    if not nodes:
        raise Unreadable("What came in lists no node." if path == "-" else f"{path} lists no node.", TYPED)
    warnings = () if pods else (UNSEEN,)
    return inventory(nodes, granted(pods) if pods else None, "" if path == "-" else Path(path).name, _now(), "", warnings)


def inventory(
    nodes: Iterable[Mapping[str, Any]],
    taken: Mapping[str, Mapping[str, Any]] | None,
    address: str,
    date: str,
    version: str,
    warnings: tuple[str, ...],
) -> Inventory:
    """What was listed as one record, by name. Raises Unreadable for what no Kubernetes says."""
    try:
        found = [node(one, None if taken is None else taken.get(one["metadata"]["name"], {}), date) for one in nodes]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, SizeupError):
            raise
        raise Unreadable(f"{address} lists something that is no node.", TYPED) from None
    return Inventory("kubernetes", address, tuple(sorted(found, key=lambda one: one.name)), date, version.removeprefix("v"), warnings)


def _listed(path: str, where: list[str], timeout: float) -> Iterable[Mapping[str, Any]]:
    """Every item of a list, page by page."""
    following = ""
    for _ in range(MOST_PAGES):
        mark = "&" if "?" in path else "?"
        page = json.loads(
            _raw(f"{path}{mark}limit={PAGE}" + (f"&continue={quote(following, safe='')}" if following else ""), where, timeout)
        )
        yield from page.get("items") or ()
        following = (page.get("metadata") or {}).get("continue") or ""
        if not following:
            return


def _raw(path: str, where: list[str], timeout: float) -> str:
    command = ["kubectl", "get", "--raw", path, *where, f"--request-timeout={timeout:g}s"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout + 10, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"The cluster did not answer within {timeout:g} s.", "--timeout with more seconds") from None
    if done.returncode == 0:
        return done.stdout
    said = (done.stderr.strip().splitlines() or ["no reason told"])[-1][:300].rstrip(".")
    if "forbidden" in said.lower():
        raise Forbidden(f"The cluster does not let you list this: {said}.", "a role that may list nodes and pods")
    raise Unavailable(f"The cluster does not answer: {said}.", "kubectl get nodes")


def _address(context: str | None) -> str:
    """The server of the context as kubectl knows it; "" where it does not say."""
    command = [
        "kubectl",
        "config",
        "view",
        "--minify",
        "-o",
        "jsonpath={.clusters[0].cluster.server}",
        *(("--context", context) if context else ()),
    ]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL).stdout.strip()
    except subprocess.TimeoutExpired:
        return ""


def _plain(address: str) -> str:
    """Without what signs in."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if parts.netloc else address


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
