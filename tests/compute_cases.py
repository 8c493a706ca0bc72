"""Compute buffers of measured runs beside what sizeup says, by kind of run and kind of model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sizeup.engines.llamacpp.compute_offload import offload_claims
from sizeup.engines.llamacpp.graph.sheet import sheet
from sizeup.engines.llamacpp.placement import homes
from sizeup.engines.llamacpp.settings import Settings
from sizeup.engines.llamacpp.slots import slots
from sizeup.model import ModelSpec
from tests import ghosts, truth


@dataclass
class Case:
    """Relative errors of one kind of run on one kind of model."""

    errors: list[tuple[float, str]] = field(default_factory=list)

    def within(self, limit: float) -> float:
        """Share of rows whose error is at most `limit`."""
        return sum(abs(error) <= limit for error, _ in self.errors) / len(self.errors)

    @property
    def worst(self) -> tuple[float, str]:
        return max(self.errors, key=lambda error: abs(error[0]))


def predicted(spec: ModelSpec, settings: Settings) -> dict[str, int]:
    """Bytes of every compute buffer by pool."""
    where = homes(spec, settings)
    return {claim.pool: int(claim.bytes) for claim in offload_claims(sheet(spec), settings, slots(spec, settings), where)}


def kind_of_model(spec: ModelSpec) -> str:
    """What makes its graph unlike others."""
    if not spec.causal:
        return "encoder"
    if any(part.state_values() for group in spec.groups for part in group.block.mixers):
        return "recurrent"
    return "attention"


def kind_of_run(row: truth.Row) -> str:
    """Where its layers are, and how attention is computed."""
    place = "cpu" if row.backend == "cpu" else "all on gpu" if row.settings["gpu_layers"] == "all" else "some on gpu"
    if row.backend != "cpu" and row.settings["cpu_moe_layers"]:
        place = "experts on cpu"
    cache = {"f16f16": "f16", "f32f32": "f32"}.get(row.settings["k"] + row.settings["v"], "quantised")
    return f"{place}, {'flash' if row.flash_attention_on else 'no flash'}, {cache}"


def measured() -> list[truth.Row]:
    """Rows that ran, of models whose header is kept."""
    return [row for row in truth.rows() if row.ok and row.ghost in ghosts.NAMES]


def cases(rows: Iterable[truth.Row]) -> dict[str, Case]:
    """Errors of every measured buffer, by case; device and host sides apart."""
    found: dict[str, Case] = {}
    for row in rows:
        spec = truth.spec(row.ghost)
        said = predicted(spec, Settings(**row.settings))
        sides = {"ram": "compute_cpu_bytes"} if row.backend == "cpu" else {"ram": "compute_cpu_bytes", "vram:0": "compute_gpu_bytes"}
        for pool, column in sides.items():
            side = "" if row.backend == "cpu" else " (host)" if pool == "ram" else " (device)"
            case = found.setdefault(f"{kind_of_run(row)}, {kind_of_model(spec)}{side}", Case())
            case.errors.append((said.get(pool, 0) / row.bytes(column) - 1, f"{row.model} row {row.number}"))
    return found


def table(found: dict[str, Case]) -> str:
    """The table of errors as people read it."""
    lines = [f"{'case':66} {'rows':>5} {'equal':>7} {'≤ 0.1 %':>8} {'≤ 1 %':>7} {'≤ 5 %':>7}  worst"]
    for name, case in sorted(found.items()):
        shares = [f"{case.within(limit):7.1%}" for limit in (0, 0.001, 0.01, 0.05)]
        error, where = case.worst
        lines.append(f"{name:66} {len(case.errors):5} {' '.join(shares)}  {error:+.1%}" + (f" {where}" if error else ""))
    return "\n".join(lines)
