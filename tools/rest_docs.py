"""docs/rest.md from the table of operations: `python -m tools.rest_docs` writes it, a test compares it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sizeup.fleet.asked import MOST_MODELS, MOST_NODES
from sizeup.i18n import texts
from sizeup.operations import operations
from sizeup.operations.operation import Operation
from sizeup.operations.parameter import Parameter
from sizeup.operations.skins import LANG, UNITS, WHY
from sizeup.web.examples import EXAMPLES
from sizeup.web.headers import KEPT
from sizeup.web.limits import LARGEST_BODY, LARGEST_QUESTION, LONGEST_QUERY
from sizeup.web.openapi import FAILURES
from sizeup.web.serving import PORT, Serving
from sizeup.web.world import FRESH_S

USUAL = Serving()
FILE = Path(__file__).parent.parent / "docs" / "rest.md"

INTRODUCTION = f"""# REST and tools for assistants

`sizeup serve` answers over HTTP what the command line answers: one table of operations (`sizeup.operations`) makes the options of the
verbs, the parameters below, `/api/openapi.json` and the tools of `sizeup mcp`. The body of an answer is the JSON that the verb prints
with `--json`.

```
pip install ".[web]"
sizeup serve                       # http://127.0.0.1:{PORT}/, the next free port when that one is taken
curl 'http://127.0.0.1:{PORT}/api/fit?model=qwen3:8b&on=rtx-4090&context=32K'
```

Names are those of the options, with `_` for `-`; a flag is `true` or `false`; what may be given several times is repeated
(`things=qwen3:8b&things=gemma3:4b`). “Does not fit” is an answer, 200.

## What it does not do

* It listens on this machine alone, unless `--host` and `--public` say otherwise, and then to whoever can reach it: there is no password.
* A Host header that is not its own name is refused (421), so that no web page reaches it through a name that points here; `--name` adds one.
* A page of another origin can neither send anything (403) nor read an answer; `--cors ORIGIN` lets one read.
* Models, machines and data sets named by a path are refused (403) unless it was started with `--allow-files`.
* No engine is started (403) unless it was started with `--allow-run`; nothing is ever written but what `prove` and `rehearse` keep.
* A query has at most {LONGEST_QUERY:,} characters, a body {LARGEST_BODY >> 20} MiB. An answer that takes longer than {USUAL.seconds:g} s is given up (504);
  {USUAL.waiting} may wait, more are refused (503). A thread cannot be stopped: what was given up still ends its work.

Models and machines that were read are kept, answers are not. This machine is looked at again when the last look is older than {FRESH_S:g} s.

## Errors

`{{"error": {{"kind": …, "message": …, "try": …}}}}`, in the language of `lang`, else of Accept-Language.

"""

HEADER = f"""## A file that is not here: POST /api/header

The first bytes of a .gguf as the body (`application/octet-stream`), `bytes=` the size of the whole file, `name=` what to call it. The answer
is `/api/model`'s with `"model": "header:<sha256>"`, a name that every `model=` takes from then on; or `{{"needs_bytes": N}}` when the header
is longer: send the first N bytes. Weights are never needed. The last {KEPT} are kept, in memory, by the process that was sent them: with
`--workers` another process may not know a name (404), and the start is sent again.

## A cluster: POST /api/fleet_plan

Nodes do not fit into a query: the parameters are fields of a JSON object (at most {LARGEST_QUESTION >> 20} MiB), with the same names. `nodes` and `load` are what
the command line reads from the files of `--nodes` and `--load`: an object (what `sizeup fleet scan --save` wrote, or `{{"node": [{{"machine":
"8x h100-sxm", "count": 4}}]}}` with the keys of [fleet.md](fleet.md)), or TOML as text. At most {MOST_NODES:,} nodes and {MOST_MODELS} models; a search that takes
longer than an answer may is ended. The answer is what `sizeup fleet plan --json` prints; with `emit` its `files` are what `--to` would write.

`fleet scan`, `up`, `status` and `down` are verbs of the command line alone: they reach a cluster with the rights of whoever started them
(kubectl's contexts, Ray's address, Slurm's commands), and a server would lend these to everybody who can ask it. Scan where the rights are,
and send what was saved.

## Folders

`--engines FOLDER` serves files of browser engines at `/engines/`, `--models FOLDER` model files in ranges at `/files/`. No listings, no names
that begin with a dot, no links that lead out.

## How fast

`python -m benchmarks.rest` starts a server on loopback and asks it plans, each with another context and mix, so that no answer could be
kept from an earlier one. Two shared cores of a Xeon at 2.5 GHz, client and server on the same cores, Python 3.11, 21 November 2026:

SPEED

Warm, that is: with the model read and the layouts of its graphs known, by one process; `--workers` gains little where the client takes
half of two cores. The first plan of a model takes 50 to 300 ms, its first grid up
to three seconds where layers are split between cards and RAM.

## Tools for assistants

`sizeup mcp` (extra `mcp`) offers the operations marked † as tools over standard input and output, with the same parameters. An assistant
is configured with the command `sizeup` and the argument `mcp`.
"""


def document(speed: str) -> str:
    """The whole page."""
    errors = "".join(f"| {status} | {what} |\n" for status, what in sorted(FAILURES.items()))
    common = "".join(_row(one) for one in (LANG, UNITS, WHY))
    told = [
        INTRODUCTION,
        "| status | means |\n| --- | --- |\n",
        errors,
        "\n",
        HEADER.replace("SPEED\n", speed),
        "\n## Operations\n\nEvery one takes these; `why` (derive a part, or `all`) those marked ‡.\n\n| parameter | what |\n| --- | --- |\n",
        common,
        *(_section(one) for one in operations()),
    ]
    return "".join(told)


def _section(operation: Operation) -> str:
    marks = ("†" if operation.tool else "") + ("‡" if operation.explained else "")
    rows = "".join(_row(one) for one in operation.parameters)
    table = f"\n| parameter | what |\n| --- | --- |\n{rows}" if rows else ""
    allowed = " Needs `--allow-run`." if operation.runs else ""
    method = "POST" if operation.posted else "GET"
    return (
        f"\n### {method} /api/{operation.name} {marks}\n\n{texts('en')(f'verb.{operation.verb}')}{allowed}\n{table}{_examples(operation)}"
    )


def _examples(operation: Operation) -> str:
    """Questions of an operation that is posted, to be typed."""
    if not operation.posted:
        return ""
    url = f"http://127.0.0.1:{PORT}/api/{operation.name}"
    return "\n```\n" + "\n".join(f"curl {url} -d '{_object(one)}'" for one in EXAMPLES[operation.name].values()) + "\n```\n"


def _object(fields: Mapping[str, Any]) -> str:
    """JSON with a line for each field, unless one line holds them all."""
    told = [f'"{name}": {json.dumps(value, ensure_ascii=False)}' for name, value in fields.items()]
    return "{" + ", ".join(told) + "}" if sum(map(len, told)) < 100 else "{\n  " + ",\n  ".join(told) + "\n}"


def _row(one: Parameter) -> str:
    marks = [word for word, so in (("required", one.required), ("repeatable", one.many)) if so]
    if one.default not in (None, False, "", ()):
        marks.append(f"default `{one.default}`")
    noted = f" ({', '.join(marks)})" if marks else ""
    return f"| `{one.name}` | {texts('en')(one.text_key).replace('|', '/')}{noted} |\n"


def speed() -> str:
    """The table of figures as it stands in the page: it is measured, not generated."""
    lines = FILE.read_text(encoding="utf-8").splitlines(keepends=True) if FILE.exists() else []
    return "".join(line for line in lines if line.startswith(("| question", "| --- | --- | --- | --- |", "| plan ", "| fit", "| grid")))


if __name__ == "__main__":
    FILE.write_text(document(speed()), encoding="utf-8")
