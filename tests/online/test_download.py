"""A file is fetched whole and right, or not at all: what breaks on the way costs time, and nothing that came."""

from __future__ import annotations

import os
import random
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sizeup.download import Download, Event
from sizeup.errors import SizeupError, Unavailable, Unreadable
from sizeup.net import Stopped
from tests.online.hub import Hub
from tests.online.pulling import CHUNK, Files, child, client, item
from tests.online.site import Fault, Site, serving, soon

CONTENT = random.Random(1).randbytes(3 * (1 << 20) + 12_345)


@pytest.fixture
def site(world: Hub) -> Iterator[Site]:
    """A server of one file; `world` takes proxies and tokens out of the environment."""
    with serving(Files({"/file.gguf": CONTENT}).answer) as found:
        yield found


def fetch(site: Site, folder: Path, checked: bool = True, content: bytes = CONTENT) -> list[Event]:
    """Fetch it, and what was told."""
    told: list[Event] = []
    with client(site.address) as one:
        Download(one, item(site.address, content, folder, checked), told.append, chunk=CHUNK).run()
    return told


def kinds(told: list[Event]) -> list[str]:
    return [event.kind for event in told if event.kind != "progress"]


def asked_bytes(site: Site, since: int) -> int:
    """Bytes of all ranges that were asked for after so many requests."""
    ranges = [request.headers["range"].removeprefix("bytes=").split("-") for request in site.asked[since:]]
    return sum(int(last) - int(first) + 1 for first, last in ranges)


def left(folder: Path) -> list[str]:
    """Every file under the folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_file(site: Site, tmp_path: Path) -> None:
    """It comes over several connections, byte for byte once, and leaves nothing beside it."""
    told = fetch(site, tmp_path)
    assert (tmp_path / "file.gguf").read_bytes() == CONTENT
    assert (kinds(told), left(tmp_path)) == (["start", "done"], ["file.gguf"])
    assert site.sent_bytes == len(CONTENT)
    assert len(site.asked) > 3


def test_it_is_here_already(site: Site, tmp_path: Path) -> None:
    """A file that is whole and right is not fetched again; another one of its name is left alone and refused."""
    fetch(site, tmp_path)
    asked = len(site.asked)
    assert kinds(fetch(site, tmp_path))[-1] == "here"
    assert len(site.asked) == asked
    (tmp_path / "file.gguf").write_bytes(b"mine")
    with pytest.raises(Unreadable, match=r"is not file\.gguf as published"):
        fetch(site, tmp_path)
    assert (tmp_path / "file.gguf").read_bytes() == b"mine"


@pytest.mark.parametrize("content", [b"", b"x", b"y" * CHUNK, b"z" * (CHUNK + 1)], ids=len)
def test_small_files(world: Hub, tmp_path: Path, content: bytes) -> None:
    """Files of no byte, of one, of one chunk and of one byte more."""
    with serving(Files({"/file.gguf": content}).answer) as site:
        fetch(site, tmp_path, content=content)
    assert (tmp_path / "file.gguf").read_bytes() == content


@pytest.mark.parametrize(
    "faults",
    [
        [Fault("file", "cut", 5, after=100_000)],
        [Fault("file", "short", 2)],
        [Fault("file", "long", 2)],
        [Fault("file", "status", 3, 503)],
        [Fault("file", "status", 2, 429, {"Retry-After": "0"})],
        [Fault("file", "status", 1, 429, {"RateLimit": '"resolvers";r=0;t=0'})],
        [Fault("file", "no_range", 99)],
        [Fault("file", "no_range", 99), Fault("file", "cut", 1, after=5_000)],
        [Fault("file", "etag", 1)],
        [Fault("file", "etag", 3)],
    ],
    ids=lambda faults: "-".join(f"{fault.kind}{fault.times}" for fault in faults),
)
def test_what_a_network_does(site: Site, tmp_path: Path, faults: list[Fault]) -> None:
    """Cuts, wrong lengths, rate limits, a server without ranges, an ETag of another edge: the file is right in the end."""
    site.faults += faults
    fetch(site, tmp_path)
    assert (tmp_path / "file.gguf").read_bytes() == CONTENT
    assert left(tmp_path) == ["file.gguf"]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault("file", "status", 999, 404), "answers 404"),
        (Fault("file", "status", 999, 500), "answers 500"),
        (Fault("file", "status", 999, 429, {"Retry-After": "9999"}), "answers 429"),
        (Fault("file", "status", 999, 416), "changes on the server"),
        (Fault("file", "cut", 999), "cannot be reached"),
        (Fault("file", "wrong_range", 999), "sends another part"),
        (Fault("file", "gzip", 999), "compressed"),
        (Fault("file", "redirect", 999, to="http://192.168.0.1/x"), "an address of this machine or its own network"),
    ],
    ids=lambda value: f"{value.kind}-{value.status}" if isinstance(value, Fault) else "",
)
def test_what_is_given_up(site: Site, tmp_path: Path, fault: Fault, sentence: str) -> None:
    """What does not pass is one sentence, the name stays free, and the next try goes on."""
    site.faults.append(fault)
    with pytest.raises(SizeupError, match=sentence):
        fetch(site, tmp_path)
    assert not (tmp_path / "file.gguf").exists()
    site.faults.clear()
    fetch(site, tmp_path)
    assert (tmp_path / "file.gguf").read_bytes() == CONTENT


def test_a_byte_poisoned_on_the_way(site: Site, tmp_path: Path) -> None:
    """A byte that came wrong is caught by the publisher's checksum, and the file is fetched once more."""
    site.faults.append(Fault("file", "poison", 4, after=77))
    told = fetch(site, tmp_path)
    assert kinds(told) == ["start", "again", "done"]
    assert (tmp_path / "file.gguf").read_bytes() == CONTENT


def test_a_poisoned_server(site: Site, tmp_path: Path) -> None:
    """A server that always sends another byte is refused, and nothing of it is kept."""
    site.faults.append(Fault("file", "poison", 999, after=77))
    with pytest.raises(Unreadable, match="not with the checksum that its publisher states"):
        fetch(site, tmp_path)
    assert [name for name in left(tmp_path) if not name.endswith(".journal") and name != ".sizeup-pull"] == []


def stopped(site: Site, folder: Path, after: int) -> None:
    """Fetch until so many bytes are on the disk, then stop."""
    with client(site.address) as one:
        stop = one.waiter.stop

        def tell(event: Event) -> None:
            if event.done_bytes >= after:
                stop.set()

        with pytest.raises(Stopped):
            Download(one, item(site.address, CONTENT, folder), tell, chunk=CHUNK, connections=2).run()


def test_a_byte_poisoned_on_the_disk(site: Site, tmp_path: Path) -> None:
    """Of an unfinished file that changed on the disk, only the chunk that changed is fetched again."""
    site.faults.append(Fault("file", "stall", 2, after=1 << 20))
    stopped(site, tmp_path, 1 << 20)
    (part,) = (tmp_path / ".sizeup-pull").glob("*.part")
    before = len(site.asked)
    lines = part.with_name(part.name + ".journal").read_bytes().splitlines()
    here = [int(line.split()[0]) for line in lines if line[:1].isdigit()]
    with part.open("r+b") as file:
        file.seek(here[0] * CHUNK + 100)
        byte = file.read(1)
        file.seek(here[0] * CHUNK + 100)
        file.write(bytes([byte[0] ^ 1]))
    told = fetch(site, tmp_path)
    assert kinds(told) == ["start", "bad", "done"]
    assert (tmp_path / "file.gguf").read_bytes() == CONTENT
    assert asked_bytes(site, before) == len(CONTENT) - (len(here) - 1) * CHUNK


def test_a_stop_ends_at_once_and_goes_on(site: Site, tmp_path: Path) -> None:
    """A stop breaks connections that hang, and the next call fetches the rest alone."""
    site.faults.append(Fault("file", "stall", 4, after=200_000))
    stopped(site, tmp_path, 2 * CHUNK)
    site.faults.clear()
    before = len(site.asked)
    told = fetch(site, tmp_path)
    assert told[0].done_bytes >= 2 * CHUNK
    assert asked_bytes(site, before) == len(CONTENT) - told[0].done_bytes


def test_without_a_checksum_a_changed_file_begins_anew(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody states a checksum, parts of two versions are never joined: another ETag means to begin anew."""
    site.faults.append(Fault("file", "stall", 2, after=1 << 20))
    stopped_item = item(site.address, CONTENT, tmp_path, checked=False)
    with client(site.address) as one:

        def tell(event: Event) -> None:
            if event.done_bytes >= 1 << 19:
                one.waiter.stop.set()

        with pytest.raises(Stopped):
            Download(one, stopped_item, tell, chunk=CHUNK, connections=2).run()
    other = bytes(reversed(CONTENT))
    monkeypatch.setattr(site, "answer", Files({"/file.gguf": other}).answer)
    told = fetch(site, tmp_path, checked=False)
    assert kinds(told) == ["start", "again", "done"]
    assert (tmp_path / "file.gguf").read_bytes() == other


def test_a_damaged_journal(site: Site, tmp_path: Path) -> None:
    """A journal that was cut in a line, or is of something else, costs what it no longer proves."""
    for damage in (b"", b"{}\n", b"\xff" * 50, b"void x\n" * 3):
        folder = tmp_path / str(len(damage))
        site.faults = [Fault("file", "stall", 2, after=1 << 20)]
        stopped(site, folder, 1 << 19)
        (journal,) = (folder / ".sizeup-pull").glob("*.journal")
        journal.write_bytes(damage or journal.read_bytes()[:-20])
        fetch(site, folder)
        assert (folder / "file.gguf").read_bytes() == CONTENT


def test_two_at_once(site: Site, tmp_path: Path) -> None:
    """The second one waits for the first, and then finds the file."""
    told: list[list[Event]] = [[], []]

    def one(number: int) -> None:
        told[number] += fetch(site, tmp_path)

    threads = [threading.Thread(target=one, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(events[-1].kind for events in told) == ["done", "here"]
    assert site.sent_bytes == len(CONTENT)
    assert left(tmp_path) == ["file.gguf"]


def test_a_full_disk(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills up on the way is said so, and what came is kept."""
    real = os.pwrite
    calls = iter(range(1000))

    def full(file: int, content: memoryview, at: int) -> int:
        if next(calls) > 10:
            raise OSError(28, "No space left on device")
        return real(file, content, at)

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(Unavailable, match="is full"):
        fetch(site, tmp_path)
    monkeypatch.setattr(os, "pwrite", real)
    told = fetch(site, tmp_path)
    assert told[0].done_bytes > 0
    assert (tmp_path / "file.gguf").read_bytes() == CONTENT


def cuts_and_kills(site: Site, folder: Path, count: int) -> int:
    """So many interruptions at random places, connections cut and processes killed in turn; how many files came of it."""
    chance = random.Random(count)
    files, kills = 0, 0

    def begun() -> subprocess.Popen[bytes]:
        return child(site.address, CONTENT, folder / str(files))

    running = begun()
    try:
        while site.cuts + kills < count:
            if running.poll() is not None:
                # It came through: the next interruption meets the next file.
                assert running.returncode == 0
                files += 1
                running = begun()
            if kills < site.cuts:
                sent = site.sent_bytes + chance.randrange(len(CONTENT) // 2)
                # What hangs until then keeps it from coming through before it is killed.
                site.faults = [Fault("file", "stall", 99, after=chance.randrange(CHUNK))]
                soon(lambda: site.sent_bytes >= sent, 0.1)  # noqa: B023  asked at once
                if running.poll() is None:
                    running.kill()
                    kills += 1
                running.wait()
                site.faults = []
                running = begun()
            else:
                before = site.cuts
                site.faults = [Fault("file", "cut", 1, after=chance.randrange(CHUNK))]
                soon(lambda: site.cuts > before or running.poll() is not None, 5)  # noqa: B023
        site.faults = []
        assert running.wait(60) == 0
    finally:
        running.kill()
        running.wait()
    for number in range(files + 1):
        assert (folder / str(number) / "file.gguf").read_bytes() == CONTENT
        assert left(folder / str(number)) == ["file.gguf"]
    return files + 1


@pytest.mark.parametrize("count", [8, pytest.param(100, marks=pytest.mark.full)])
def test_cuts_and_kills_lose_nothing(site: Site, tmp_path: Path, count: int) -> None:
    """After random cuts and kills each file has the right checksum, and no more was sent twice than was in hand when it broke off."""
    files = cuts_and_kills(site, tmp_path, count)
    print(f"{count} interruptions ({site.cuts} cuts), {files} files, {site.sent_bytes:,} bytes sent for {files * len(CONTENT):,}")
    # A chunk for each connection, and what the system had taken from the server and nobody had read.
    assert site.sent_bytes - files * len(CONTENT) <= count * (4 * CHUNK + (1 << 18))
