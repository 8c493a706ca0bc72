"""Published training runs and what they teach: the share of a device's arithmetic that training reaches (MFU).

MFU here is 6 x active parameters x tokens over what the devices could have done in the hours that were paid: waiting, restarts
and slow days are inside. It is of the BF16 peak also where matrices ran in FP8.
"""

from __future__ import annotations

import csv
import functools
import io
import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from .facts import Kind, Source, data_bytes, data_json
from .figure import Number, step
from .hardware import Device
from .interval import Interval


class TrainingRun(NamedTuple):
    """One published run; unknown is None or ""."""

    model: str
    parameters: int
    """0 where the row is about several sizes."""
    active_parameters: int
    tokens: int | None
    device: str
    """Its name in the device table."""
    peak_flops_per_s: float | None
    """Dense BF16 (or FP16) rate of one device."""
    devices: int | None
    device_hours: float | None
    mfu_low: float | None
    """As its authors state it for the time that it ran."""
    mfu_high: float | None
    includes: str
    """"ablations", "distillation" or "restarts" when the hours hold more than the run itself; "" when nobody says so."""
    publication: str
    source: Source
    recalled: bool
    """True where the figure was not read at the source again."""
    notes: str

    @property
    def tokens_per_parameter(self) -> float | None:
        return None if self.tokens is None else self.tokens / self.active_parameters

    @property
    def mfu(self) -> float | None:
        """Reached over the paid hours; None where tokens, hours or the device are unknown."""
        if not (self.tokens and self.device_hours and self.peak_flops_per_s):
            return None
        return float(paid_mfu(self.active_parameters, self.tokens, self.device_hours, self.peak_flops_per_s))


@step("paid_mfu")
def paid_mfu(active_parameters: Number, tokens: Number, device_hours: Number, peak_flops_per_s: Number) -> Number:
    """Share of the devices' arithmetic that went into 6 x parameters x tokens."""
    return 6 * active_parameters * tokens / (device_hours * 3600 * peak_flops_per_s)


@functools.cache
def training_runs() -> tuple[TrainingRun, ...]:
    """Every published run of data/training_runs.csv."""
    return tuple(_run(row) for row in csv.DictReader(io.StringIO(data_bytes("training_runs.csv").decode())))


def _run(row: dict[str, str]) -> TrainingRun:
    number = {key: float(value) if value else None for key, value in row.items() if key in _NUMBERS}
    peak, devices, tokens = number["peak_TFLOPS"], number["devices"], number["tokens"]
    return TrainingRun(
        row["model"],
        int(row["parameters"] or 0),
        int(row["active_parameters"] or 0),
        None if tokens is None else int(tokens),
        row["device"],
        None if peak is None else peak * 1e12,
        None if devices is None else int(devices),
        number["device_hours"],
        number["mfu_low"],
        number["mfu_high"],
        row["includes"],
        row["publication"],
        Source("published", row["source"], row["date"]),
        row["read"] == "recall",
        row["notes"],
    )


_NUMBERS = ("peak_TFLOPS", "devices", "tokens", "device_hours", "mfu_low", "mfu_high")


def family(device: str) -> str:
    """The group of devices whose runs speak for this one; "" when no run speaks for it."""
    found = (row["family"] for row in data_json("mfu.json")["families"] if any(name in device for name in row["names"]))
    return next(found, "")


def mfu(device: str, runs: Sequence[TrainingRun] | None = None) -> Interval:
    """MFU over the paid hours that a next run may reach: a 90 % prediction interval over published ones.

    Of the runs on this family of devices where enough teams published some, else of all. Runs whose hours hold other work are left
    out. `runs` replaces the published ones, to test the interval on runs that it has not seen.
    """
    rule = data_json("mfu.json")
    known = [run for run in (training_runs() if runs is None else runs) if run.mfu and run.includes not in rule["left_out"]]
    near = [run for run in known if family(device) and family(run.device) == family(device)]
    enough = len({run.publication for run in near}) >= rule["least_publications"]
    low, middle, high = _prediction([math.log(run.mfu or 1.0) for run in (near if enough else known)])
    words = f"{len(near)} runs on {family(device)}" if enough else f"{len(known)} runs on other devices"
    return Interval(low, middle, min(high, 1.0), _source("published" if enough else "assumed", words))


def _source(kind: Kind, words: str) -> Source:
    """What these words say of the table, on the day that its rules were last fitted."""
    return Source(kind, f"{words}, data/training_runs.csv", data_json("mfu.json")["date"])


def _prediction(logs: list[float]) -> tuple[float, float, float]:
    """Where one more of these may lie, were their logarithms spread normally: Student's t for a mean and a spread that are both guessed."""
    middle, spread = statistics.mean(logs), statistics.stdev(logs)
    table = {int(freedom): value for freedom, value in data_json("mfu.json")["student_t_95"].items()}
    t = table[max(freedom for freedom in table if freedom <= len(logs) - 1)]
    reach = t * spread * math.sqrt(1 + 1 / len(logs))
    return math.exp(middle - reach), math.exp(middle), math.exp(middle + reach)


def stated_mfu(device: str) -> Interval | None:
    """What authors state for the time that their runs ran on this family: the aim of a well-tuned run; None when nobody does."""
    found = [(run.mfu_low, run.mfu_high) for run in training_runs() if run.mfu_low and family(run.device) == family(device) != ""]
    if not found:
        return None
    low, high = min(low for low, _ in found if low), max(high for _, high in found if high)
    middle = statistics.median((low + high) / 2 for low, high in found if low and high)
    return Interval(low, middle, high, _source("published", f"{len(found)} statements"))


def training_flops_per_s(device: Device) -> float | None:
    """Dense 16-bit rate of one device with sums in 32 bits, which training needs; None when nobody says."""
    if not device.flops_per_s:
        return None
    wide = data_json("mfu.json")["wide_sums"]
    return device.flops_per_s * (wide["factor"] if wide["name"] in device.name else 1.0)
