"""sizeup bench FILE.gguf | --url ADDRESS: prefill and decode at depths and side by side, measured beside predicted."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

from sizeup.errors import UserError
from sizeup.operations.kinds import COUNT, COUNTS
from sizeup.points import Point
from sizeup.units import show_rate

from .settings import of, optional_model, plan_options, read_model, settings
from .verb import Asked, Option, Verb


def bench(
    asked: Asked,
    model: str | None,
    url: str | None,
    depths: tuple[int, ...],
    batches: tuple[int, ...],
    prompt_tokens: int,
    decode_tokens: int,
    repeats: int,
    seconds: float,
    **chosen: Any,
) -> None:
    """Measure the embedded engine with a model file, or any server by its address; the measurement is stored."""
    from sizeup import search
    from sizeup.bench.measure import Asked as Wanted
    from sizeup.bench.whole import of_file, of_server

    if model is None and url is None:
        raise UserError("Neither a model nor the address of a server is named.", "sizeup bench FILE.gguf, or --url http://127.0.0.1:8080")
    wanted = Wanted(depths or (0,), batches or (1,), prompt_tokens, decode_tokens, repeats, seconds)
    spec = read_model(asked, model, chosen["assume"]) if model is not None else None
    given = {"engine": chosen["engine"], "quant": chosen["quant"], **settings(chosen)}
    if url is not None:
        plan = search.fit(spec, None, context_tokens=chosen["context"], **given)[0] if spec is not None else None
        found = of_server(url, wanted, plan, _live(asked))
    else:
        assert spec is not None
        for name in ("sequences", "context"):
            if chosen[name] is not None:
                raise UserError(f"--{name} follows from --depths and --batches here.", "--depths 0,4K --batches 1,2")
        found = of_file(spec, search.resolve_machine(None), wanted, given, _live(asked), lambda plan: _loading(asked, plan.model.name))
    if asked.json:
        from sizeup.api import measurement_json

        rows = [
            {"prompt_tokens": prompt, "predicted_decode": dataclasses.asdict(guess) if guess else None}
            for prompt, guess in zip(found.benched.prompts, found.predicted, strict=True)
        ]
        asked.say_json(
            {**measurement_json(found.measurement, {}), "rows": rows, "timed_by": found.benched.timed_by, "number": found.number}
        )
        return
    from sizeup.render.bench import bench as page

    asked.say(page(asked.page, found))
    asked.say(f"  {asked.page.texts('run.stored', number=found.number)}\n")


def _loading(asked: Asked, name: str) -> None:
    if not asked.json and sys.stderr.isatty():
        print(asked.page.texts("run.loading", model=name), file=sys.stderr, flush=True)


def _live(asked: Asked) -> Any:
    """Each row as it is done, on standard error while a person looks."""

    def tell(done: int, whole: int, point: Point) -> None:
        if asked.json or not sys.stderr.isatty():
            return
        rate = show_rate(point.decode_tokens_per_s) if point.decode_tokens_per_s else "–"
        words = asked.page.texts("bench.row", done=done, whole=whole, depth=f"{point.depth_tokens:,}", batch=point.sequences, rate=rate)
        sys.stderr.write(f"\r\x1b[K{words}" + ("\r\x1b[K" if done == whole else ""))
        sys.stderr.flush()

    return tell


command = Verb(
    "bench",
    bench,
    [
        optional_model(),
        Option(["--url"], metavar="ADDRESS"),
        Option(["--depths"], "bench_depths", type=of(COUNTS), default=(0,), metavar="N,N"),
        Option(["--batches"], "bench_batches", type=of(COUNTS), default=(1,), metavar="N,N"),
        Option(["--prompt-tokens"], type=of(COUNT), default=128, metavar="N"),
        Option(["--decode-tokens"], type=of(COUNT), default=32, metavar="N"),
        Option(["--repeats"], type=of(COUNT), default=3, metavar="N"),
        Option(["--seconds"], "bench_seconds", type=float, default=300.0, metavar="S"),
        *plan_options(),
    ],
)
