"""What this machine's host reached in its own measurement (`sizeup machine --measure`), kept in the user's data folder.

It beats published rates at once: the formula stays, its rates are this machine's.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, NamedTuple

from .facts import data_json
from .home import data_dir, write_atomically
from .roofline import Pace

FILE = "calibration.json"


class Calibration(NamedTuple):
    """Rates of one processor, by number format."""

    cpu: str
    """The processor it was measured on; a data folder may travel."""
    threads: int
    date: str
    read_bytes_per_s: dict[str, float]
    """Weights read while decoding, by format; "" for formats that were not measured."""
    flops_per_s: dict[str, float]
    """Multiplying a prompt with weights of a format."""
    dot_s: dict[str, float]
    """Each dot product of a decode step beside its weights, by format as above."""
    batch_dot_s: float
    """The same of a prompt, of any format."""
    cache_row_s: float
    """Reading the cache: for each cell of a key head, beside its bytes at the best rate of reading."""
    mixing_flops_per_s: float
    """Attention of a prompt."""
    vector_mixing_flops_per_s: float
    """Attention of a decode step."""
    layer_s: float
    expert_layer: float
    expert_rows: float
    noise: float = 0.0
    """The largest spread among the repeats, as a share."""

    @property
    def busy(self) -> bool:
        """Whether something else ran while this was measured, so that it should be measured again."""
        return self.noise > float(data_json("host_rates.json")["own_measurement"]["busy_spread"])

    @property
    def spread(self) -> tuple[float, float]:
        """The 80 % interval around what is predicted from this, as factors."""
        half = max(float(data_json("host_rates.json")["own_measurement"]["usual_spread"]), self.noise)
        return 1 / (1 + half), 1 + half

    @property
    def pace(self) -> Pace:
        kept = {name: value for name, value in self._asdict().items() if name in Pace._fields}
        return Pace(**kept, cache_bytes_per_s=max(self.read_bytes_per_s.values()))

    @property
    def how(self) -> str:
        return f"measured: this machine's own rates with {self.threads} threads, {self.date}"


def rates(pace: Pace) -> dict[str, Any]:
    """What a calibration keeps of a pace, by its own names; `Calibration.pace` makes it a pace again."""
    return {name: value for name, value in pace._asdict().items() if name in Calibration._fields}


def keep(found: Calibration) -> None:
    """Store a measurement for the next answers."""
    write_atomically(data_dir() / FILE, (json.dumps(found._asdict(), indent=1) + "\n").encode())
    _read.cache_clear()


def kept(cpu: str) -> Calibration | None:
    """The stored measurement of this processor; None when there is none, or it is of another one or unreadable."""
    found = _read(data_dir() / FILE)
    return found if found is not None and found.cpu == cpu else None


@functools.cache
def _read(path: Path) -> Calibration | None:
    try:
        found = Calibration(**json.loads(path.read_bytes()))
        rates = [*found.read_bytes_per_s.values(), *found.flops_per_s.values(), found.mixing_flops_per_s, found.vector_mixing_flops_per_s]
        usable = (
            all(rate > 0 for rate in rates)
            and all("" in table for table in (found.read_bytes_per_s, found.flops_per_s, found.dot_s))
            and min(found.layer_s, found.cache_row_s, found.batch_dot_s, *found.dot_s.values()) >= 0
        )
    except Exception:  # a damaged file is as good as none: it is measured again
        return None
    return found if usable else None
