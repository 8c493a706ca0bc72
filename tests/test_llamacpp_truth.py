"""What llama.cpp allocated, row by row, beside what sizeup says: weights, cache, state and output to the byte, refusals in words."""

from __future__ import annotations

import functools
import re
from collections import defaultdict

import pytest

from sizeup.engines.llamacpp.cache import cache_claims, output_claim
from sizeup.engines.llamacpp.graph.sheet import sheet
from sizeup.engines.llamacpp.placement import homes
from sizeup.engines.llamacpp.refusals import check
from sizeup.engines.llamacpp.settings import Settings
from sizeup.engines.llamacpp.slots import slots
from sizeup.engines.llamacpp.weights import Load, weight_claims
from sizeup.errors import Refused
from sizeup.plan import Breakdown, Claim
from tests import truth

FEATURES = ("avx2",)
"""Instruction sets that the measured engine was built for."""


@functools.cache
def measured() -> tuple[truth.Row, ...]:
    """Rows of models whose header we have: all but the two of the real file behind the server."""
    return tuple(row for row in truth.rows() if row.stage != "server")


def settings(row: truth.Row) -> Settings:
    return Settings(**row.settings, cpu_features=FEATURES)


def account(row: truth.Row) -> Breakdown:
    """The parts that are exact."""
    spec, asked = truth.spec(row.ghost), settings(row)
    check(spec, asked)
    where = homes(spec, asked)
    claims: list[Claim] = list(cache_claims(spec, asked, slots(spec, asked), where))
    claims += weight_claims(sheet(spec), where, Load(asked.mmap, asked.repack, asked.no_host, asked.gpu_kind, FEATURES))
    claims.append(output_claim(spec, asked, where))
    return Breakdown(tuple(claims))


def case(row: truth.Row) -> str:
    """How a row was measured, in words."""
    place = "CPU" if row.backend == "cpu" else f"GPU, {'all' if row.settings['gpu_layers'] == 'all' else 'some'} layers"
    moe = ", experts in RAM" if row.settings["cpu_moe_layers"] else ""
    load = ", mapped" if row.settings["mmap"] else ""
    return f"{place}{moe}{load}{'' if row.settings['repack'] or row.backend != 'cpu' else ', no repack'}"


def table(title: str, exact: dict[str, list[bool]]) -> str:
    lines = [f"\n{title:44}{'rows':>8}{'exact':>8}"]
    lines += [f"{name:44}{len(hits):8}{sum(hits):8}" for name, hits in sorted(exact.items())]
    return "\n".join(lines)


def agreement(title: str, pairs: list[tuple[truth.Row, object, object]]) -> None:
    """Prints how many rows agree, by case, and fails with the first that do not."""
    exact: dict[str, list[bool]] = defaultdict(list)
    for row, expected, actual in pairs:
        exact[case(row)].append(expected == actual)
    print(table(title, exact))
    wrong = [(row.number, row.ghost, expected, actual) for row, expected, actual in pairs if expected != actual]
    assert not wrong, wrong[:10]


def accepted() -> list[tuple[truth.Row, Breakdown]]:
    return [(row, account(row)) for row in measured() if row.ok]


def test_the_table_is_whole() -> None:
    """5,359 rows, 23 of them refusals, two without exact bytes."""
    every = truth.rows()
    assert (len(every), sum(not row.ok for row in every), len(every) - len(measured())) == (5359, 23, 2)


def test_cache_and_state_are_equal_to_the_byte() -> None:
    """Law: keys, values and recurrent state equal what the engine allocated, on the host and on the device."""
    pairs: list[tuple[truth.Row, object, object]] = []
    for row, found in accepted():
        kept = found.bytes("cache", "ram") + found.bytes("state", "ram"), found.bytes("cache", "vram:0") + found.bytes("state", "vram:0")
        pairs.append((row, (row.bytes("context_cpu_bytes"), row.bytes("context_gpu_bytes")), kept))
    assert len(pairs) == 5334
    agreement("cache and state", pairs)


def test_weights_of_every_pool_are_equal_to_the_byte() -> None:
    """Law: resident host weights with the mapped span, repacked weights, and weights on the device equal the engine's buffers."""
    pairs: list[tuple[truth.Row, object, object]] = []
    for row, found in accepted():
        host = row.bytes("model_cpu_bytes") + row.bytes("model_mapped_bytes")
        expected = host, row.bytes("model_repack_bytes"), row.bytes("model_gpu_bytes")
        pairs.append((row, expected, (found.bytes("weights", "ram"), found.bytes("repacked", "ram"), found.bytes("weights", "vram:0"))))
    agreement("weights", pairs)


def test_the_output_buffer_is_what_the_engine_printed() -> None:
    """Law: the output buffer equals the printed MiB in every row."""
    agreement("output", [(row, float(row.raw["output_mib"]), round(found.bytes("output") / 2**20, 2)) for row, found in accepted()])


def test_slots_are_what_the_engine_printed() -> None:
    """Law: the effective context and one sequence's share of it equal the engine's."""
    pairs: list[tuple[truth.Row, object, object]] = []
    for row in measured():
        if row.ok and row.raw["n_ctx_eff"]:
            made = slots(truth.spec(row.ghost), settings(row))
            pairs.append((row, (int(row.raw["n_ctx_eff"]), int(row.raw["n_ctx_seq"])), (made.context_tokens, made.sequence_tokens)))
    agreement("contexts", pairs)


@pytest.mark.parametrize("row", [row for row in truth.rows() if not row.ok], ids=lambda row: f"{row.number}-{row.model}")
def test_what_the_engine_refuses_we_refuse(row: truth.Row) -> None:
    """Law: where the engine would not start, neither do we answer, and the reason is its own."""
    with pytest.raises(Refused) as refused:
        check(truth.spec(row.ghost), settings(row))
    said = refused.value.message
    kind = next(words for words in ("does not support different K", "does not divide") if words in row.error)
    facts = set(re.findall(r"\b(?:q\d_\d|f16|\d+|[KV])\b", row.error))
    assert (kind, facts) == (kind if kind in said else said, facts & set(re.findall(r"\w+", said)))


def test_what_the_engine_accepts_we_accept() -> None:
    """Law: no row that the engine started is refused."""
    assert len(accepted()) == 5334
