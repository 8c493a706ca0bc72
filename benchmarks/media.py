"""What it takes to look at large media: a PDF of 1,000 pages with its text, and films of two hours by their headers.

python -m benchmarks.media

Each in a process of its own; seconds, seconds of a processor and peak memory are those of the whole process, interpreter included.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests import media_files

ROUNDS = 5
CHILD = """
import contextlib, os, resource, sys
verb, *paths = sys.argv[1:]
said = ""
if verb == "tokens":
    from sizeup.__main__ import main
    sys.argv = ["sizeup", "tokens", *paths]
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.suppress(SystemExit):
        main()
elif paths:
    from sizeup.media import looked
    found = looked(paths[0])
    if found.kind == "pdf":
        said = f"{found.pages:,} pages, {sum(map(len, found.text())):,} characters"
    elif found.kind == "film":
        said = f"{found.seconds:,.0f} s of {found.width} x {found.height}"
    else:
        said = f"{found.width:,} x {found.height:,} pixels"
used = resource.getrusage(resource.RUSAGE_SELF)
try:
    # Not ru_maxrss, which Linux takes over from whoever started the process.
    peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
except OSError:
    peak = used.ru_maxrss
print(peak // 1024, used.ru_utime + used.ru_stime, said)
"""


def files(folder: Path) -> dict[str, list[Path]]:
    """What is looked at; the first is nothing, to compare with. What begins with the verb is asked of the command line."""
    film, report = media_files.film(folder / "two hours.mp4", 7200), media_files.report(folder / "report.pdf", 1000)
    return {
        "nothing: interpreter and imports": [],
        "PDF of 1,000 pages": [report],
        "sizeup tokens, PDF of 1,000 pages": [report],
        "film of 2 h, MP4": [film],
        "sizeup tokens, film of 2 h, MP4": [film],
        "film of 2 h, MP4 of 3 GiB, its header at the end": [media_files.spread(film, folder / "large.mp4", 3 << 30)],
        "film of 2 h, MKV": [media_files.film(folder / "two hours.mkv", 7200)],
        "film of 2 h, MKV without duration": [media_files.film(folder / "live.mkv", 7200, streamed=True)],
        "picture that claims 60,000 x 60,000": [media_files.png(folder / "bomb.png", 60_000, 60_000)],
    }


def main() -> None:
    print(f"{'':50} {'file':>13}  {'seconds':>7}  {'of CPU':>6}  {'peak':>7}")
    with tempfile.TemporaryDirectory() as name:
        for label, paths in files(Path(name)).items():
            runs = [run("tokens" if label.startswith("sizeup tokens") else "look", paths) for _ in range(ROUNDS)]
            seconds, busy = (statistics.median(run[at] for run in runs) for at in (0, 1))
            size = sum(path.stat().st_size for path in paths)
            print(f"{label:50} {size / 1e6:10,.1f} MB  {seconds:7.2f}  {busy:6.2f}  {max(run[2] for run in runs):3} MiB  {runs[0][3]}")


def run(verb: str, paths: list[Path]) -> tuple[float, float, int, str]:
    """Seconds, seconds of a processor, peak memory in MiB, and what was found."""
    start = time.perf_counter()
    said = subprocess.run([sys.executable, "-c", CHILD, verb, *paths], capture_output=True, text=True, check=True).stdout
    seconds = time.perf_counter() - start
    peak, busy, *found = said.split(maxsplit=2)
    return seconds, float(busy), int(peak), "".join(found).strip()


if __name__ == "__main__":
    main()
