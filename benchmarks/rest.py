"""How many plans a second `sizeup serve` answers, and how long each takes: a real server on loopback, driven by persistent connections.

    python -m benchmarks.rest [--seconds 10] [--connections 16] [--workers 1]

Every question has another context and mix than the one before it, so that no answer can be kept from an earlier one; the server keeps
models, machines and layouts of graphs that it has read, as it does for a page's slider, and no answers. Client and server share the
machine's cores. Prints one JSON document after the lines for people.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import subprocess
import sys
import time
from typing import NamedTuple

MIXES = ("Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0")
STEP = 64


class Load(NamedTuple):
    """One kind of question and how often it is asked."""

    name: str
    path: str
    """With places for a context and a mix."""


LOADS = (
    Load("plan on a card", "/api/plan?model=qwen3:8b&on=rtx-4090&context={context}&quant={quant}"),
    Load("plan on this machine", "/api/plan?model=qwen3:8b&context={context}&quant={quant}"),
    Load("fit, one mix", "/api/fit?model=qwen3:8b&on=rtx-4090&context={context}&quant={quant}"),
    Load("grid, 8 mixes x 6 contexts", "/api/grid?model=qwen3:8b&on=rtx-4090&in_use={context}"),
)


async def request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: str) -> int:
    """Ask once over an open connection; the bytes of the answer. Raises RuntimeError for anything but 200."""
    writer.write(f"GET {target} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")).partition(b":")[2])
    body = await reader.readexactly(length)
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise RuntimeError(f"{target}: {head[:80]!r} {body[:200]!r}")
    return length


async def drive(port: int, load: Load, connections: int, seconds: float) -> dict[str, float]:
    """Ask as fast as the answers come, on so many connections."""
    numbers = itertools.count()
    times: list[float] = []
    end = time.perf_counter() + seconds

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (start := time.perf_counter()) < end:
            number = next(numbers)
            # A prime stride visits every context once before any returns.
            context = 1024 + (number * 101 % 500) * STEP + number // 500
            await request(reader, writer, load.path.format(context=context, quant=MIXES[number % len(MIXES)]))
            times.append(time.perf_counter() - start)
        writer.close()

    start = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    took = time.perf_counter() - start
    times.sort()
    return {
        "requests": len(times),
        "per_s": round(len(times) / took, 1),
        "median_ms": round(times[len(times) // 2] * 1e3, 2),
        "p99_ms": round(times[int(len(times) * 0.99)] * 1e3, 2),
        "longest_ms": round(times[-1] * 1e3, 2),
    }


def started(workers: int) -> tuple[subprocess.Popen[str], int]:
    """A server and its port."""
    command = [
        sys.executable,
        "-m",
        "sizeup",
        "serve",
        "--port",
        "0",
        "--lang",
        "en",
        *(["--workers", str(workers)] if workers > 1 else []),
    ]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    for line in server.stdout:
        if "http://" in line:
            return server, int(line.rpartition(":")[2].strip().strip("/"))
    raise RuntimeError("the server did not start")


async def measured(port: int, connections: int, seconds: float, only: str) -> dict[str, dict[str, dict[str, float]]]:
    """Every load: one question after another, then all connections at once. The first answers warm the server and do not count."""
    found = {}
    for load in LOADS:
        if only not in load.name:
            continue
        await drive(port, load, 2, 1.0)
        found[load.name] = {"alone": await drive(port, load, 1, seconds / 2), "together": await drive(port, load, connections, seconds)}
        print(f"{load.name:28}", "  ".join(f"{name}: {figures}" for name, figures in found[load.name].items()), flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", default="")
    wanted = parser.parse_args()
    server, port = started(wanted.workers)
    try:
        time.sleep(1.0)
        found = asyncio.run(measured(port, wanted.connections, wanted.seconds, wanted.only))
    finally:
        server.terminate()
        server.wait(10)
    print(
        json.dumps(
            {
                "cores": os.cpu_count(),
                "load": os.getloadavg()[0],
                "connections": wanted.connections,
                "workers": wanted.workers,
                "loads": found,
            }
        )
    )


if __name__ == "__main__":
    main()
