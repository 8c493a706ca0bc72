"""Resident memory of processes that really decoded, beside the sum of what sizeup claims for them."""

from __future__ import annotations

import pytest

from sizeup.engines.llamacpp import ENGINE
from sizeup.engines.llamacpp.process import process_bytes
from sizeup.engines.llamacpp.settings import Settings
from sizeup.facts import data_json
from tests import truth

FACTS = {row["name"]: row["bytes"] for row in data_json("llamacpp_process.json")["rows"]}
BUFFERS = ("weights", "repacked", "cache", "state", "compute", "output")
PRESSED = ("gpt-oss-20b",)
"""Ran while the machine was short of memory: its mapped pages were not resident."""


def predicted(row: truth.Row) -> int:
    """The process as measured before it loaded anything, and everything sizeup says comes on top of it."""
    spec = truth.spec(row.ghost)
    found = ENGINE.account(spec, None, Settings(**row.settings, cpu_features=("avx2",)))
    own = process_bytes(row.bytes("rss_base"), FACTS["working"], FACTS["token"], spec.tokenizer_tokens)
    return int(own) + sum(int(found.bytes(part, "ram")) for part in BUFFERS)


def test_resident_memory_of_a_decoding_process_is_within_five_percent() -> None:
    """Law: with the program as it was before loading, resident memory while decoding is predicted within 5 % in every run."""
    rows = [row for row in truth.rows() if row.stage == "rss" and row.model not in PRESSED]
    print()
    errors = []
    for row in rows:
        measured = row.bytes("rss_decode")
        errors.append(predicted(row) / measured - 1)
        print(f"{row.ghost:26}{row.load:6}{predicted(row) / 2**20:9.1f}{measured / 2**20:9.1f} MiB {errors[-1]:+.1%}")
    assert len(rows) == 17
    assert max(abs(error) for error in errors) < 0.05


@pytest.mark.parametrize(("slots", "within"), [(1, 0.05), (4, 0.06)])
def test_a_server_on_a_real_file(slots: int, within: float) -> None:
    """Law: the real Gemma 3 270M behind the server engine, after its first answer.

    With four slots a prompt of one fills only part of the compute buffer that was reserved for all, so the prediction is above.
    """
    (row,) = (row for row in truth.rows() if row.stage == "server" and row.settings["sequences"] == slots)
    buffers = sum(row.bytes(f"model_{kind}_bytes") for kind in ("cpu", "repack", "mapped")) + row.bytes("compute_cpu_bytes")
    kept = sum(float(row.raw[name]) for name in ("kv1_mib", "kv2_mib", "output_mib")) * 2**20
    own = process_bytes(row.bytes("rss_base"), FACTS["working"], FACTS["token"], 262_144)
    assert own + buffers + kept == pytest.approx(row.bytes("rss_prefill"), rel=within)
