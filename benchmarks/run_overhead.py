"""What `sizeup run` adds to llama.cpp: time beside the engine's own decoding, and memory beside the engine.

Time: within one run, seconds outside llama.cpp's calls (decode and sample) over the seconds inside; a machine that is slow for a moment slows
both. The program that reads the pieces and prints them runs meanwhile: its processor seconds are added, as though a core were always taken
from the engine for them. In turn with it a bare loop over the same calls, nothing printed, so that two rates stand side by side too.
A chat asks llama.cpp's own server, which times itself: there it is the processor seconds of the program over the seconds that the server
says it decoded for.
Memory: the most that `sizeup run` itself ever holds, and what the child holds before a model is loaded less the pages of the engine's
library and of the C++ and OpenMP libraries that it needs. The engine with its model is not counted.

python -m benchmarks.run_overhead [FILE.gguf] [TURNS]
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile

from tests.small_model import small_model

TOKENS = 96
ASKED = {"prompt": "The three states of matter are", "max_tokens": TOKENS, "temperature": 0.0, "seed": 1, "raw": True}
PROGRAM = """
import json, os, sys, time
from sizeup.__main__ import main
from sizeup.engines.llamacpp import run
from sizeup.engines.llamacpp.reports import resident
told, conduct = {}, run.conduct
def watched(job, heard):
    def seen(kind, event):
        heard(kind, event)
        told.setdefault("first", time.process_time()) if kind == "text" else None
        told["last"] = time.process_time()
    told["ready"], told["done"] = conduct(job, seen)
    return told["ready"], told["done"]
run.conduct = watched
sys.stdout = open(os.devnull, "w")
main(["run", sys.argv[1], sys.argv[2], "--raw", "--context", "2048", "--max-tokens", sys.argv[3]])
sys.__stdout__.write(json.dumps({**told["done"], "reader_s": told["last"] - told["first"], "parent": resident()["peak"]}))
"""
BARE = """
import json, sys
from sizeup.engines.llamacpp import child
child.Pieces.add = lambda *_: None
sys.exit(child.main())
"""
CHILD = """
import re
from sizeup.engines.llamacpp import child
child.Library()
engine = whole = 0
for part in re.split(r"\\n(?=[0-9a-f]+-[0-9a-f]+ )", open("/proc/self/smaps").read()):
    held = int(re.search(r"Rss: +(\\d+)", part)[1]) * 1024
    whole += held
    engine += held if re.search("xllamacpp|libstdc|libgomp", part.partition("\\n")[0]) else 0
print(whole, engine)
"""
CHAT = """
import json, os, sys, time
from sizeup.engines.llamacpp.reports import resident
from sizeup.engines.llamacpp.server import serving
from sizeup.search import fit
from sizeup.cli.verb import write
from sizeup.engines.llamacpp.pieces import SHOWN_EVERY_S
from sizeup.servers.client import Server
from sizeup.servers.openai import chat
sys.stdout = open(os.devnull, "w")
with serving(fit(sys.argv[1], context_tokens=2048)[0], key="k") as server:
    asked = Server(server.address, "llama.cpp", token="k")
    for _ in range(2):
        before = time.process_time()
        found = chat(asked, "m", [{"role": "user", "content": sys.argv[2]}], write, every_s=SHOWN_EVERY_S,
                     max_tokens=int(sys.argv[3]), ignore_eos=True)
        spent = time.process_time() - before
    sys.__stdout__.write(json.dumps([spent, found.new_tokens / found.decode_tokens_per_s, resident()["peak"]]))
"""


def told(*command: str, given: str = "") -> str:
    """What a program of its own says on stdout."""
    run = [sys.executable, "-c", *command]
    return subprocess.run(run, input=given, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def main() -> None:
    path = sys.argv[1] if len(sys.argv) > 1 else str(small_model())
    turns = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    from sizeup.engines.llamacpp.run import job
    from sizeup.search import fit

    asked = json.dumps({**job(fit(path, context_tokens=2048)[0]), **ASKED}) + "\n"
    loops, readers, ratios, chats, parents = [], [], [], [], []
    for turn in range(turns):
        ours = json.loads(told(PROGRAM, path, str(ASKED["prompt"]), str(TOKENS)))
        bare = json.loads(told(BARE, given=asked).splitlines()[-1])
        spent, decoded, chat_peak = json.loads(told(CHAT, path, str(ASKED["prompt"]), str(TOKENS)))
        loops.append(ours["decode_s"] / ours["engine_decode_s"] - 1)
        readers.append(ours["reader_s"] / ours["engine_decode_s"])
        ratios.append(bare["decode_tokens_per_s"] / ours["decode_tokens_per_s"])
        chats.append(spent / decoded)
        parents.append(max(ours["parent"], chat_peak) / 1e6)
        print(
            f"turn {turn + 1}: {ours['new_tokens']} tokens, {ours['decode_tokens_per_s']:.2f} tok/s (bare {bare['decode_tokens_per_s']:.2f}): "
            f"loop {loops[-1] * 100:.2f} %, reader {readers[-1] * 100:.2f} %; chat {chats[-1] * 100:.2f} % at {TOKENS / decoded:.1f} tok/s; "
            f"program {parents[-1]:.1f} MB",
            flush=True,
        )
    both = [loop + reader for loop, reader in zip(loops, readers, strict=True)]
    print(
        f"time beside the engine's own decoding, median: {statistics.median(both) * 100:.2f} % ({min(both) * 100:.2f} to {max(both) * 100:.2f} %),"
    )
    print(f"of it the loop {statistics.median(loops) * 100:.2f} %; a chat's program {statistics.median(chats) * 100:.2f} %")
    print(f"bare loop / sizeup run, median of the turns: {statistics.median(ratios):.4f}")
    whole, engine = map(int, told(CHILD).split())
    parent = statistics.median(parents)
    print(
        f"memory: the program {parent:.1f} MB, the child {whole / 1e6:.1f} MB, of it the engine's library {engine / 1e6:.1f} MB: "
        f"{parent + (whole - engine) / 1e6:.1f} MB beside the engine"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["SIZEUP_HOME"] = home
        main()
