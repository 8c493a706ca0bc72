"""dataset: how many tokens a file of examples holds, and how many examples which purpose takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .kinds import FILE
from .operation import Ask, Operation
from .parameter import Parameter, Values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sizeup.api.training import DatasetJson, PurposesJson
    from sizeup.datasets.count import Dataset
    from sizeup.sft import Purpose


class Counted(NamedTuple):
    """What a file holds."""

    dataset: Dataset
    purposes: Sequence[Purpose]
    met: bool = True

    def to_json(self) -> DatasetJson:
        from sizeup.api import dataset_json

        return dataset_json(self.dataset)


class Purposes(NamedTuple):
    """Examples by purpose, with the published work behind them."""

    purposes: Sequence[Purpose]
    met: bool = True

    def to_json(self) -> PurposesJson:
        from sizeup.api import purposes_json

        return purposes_json(self.purposes)


def dataset(ask: Ask, values: Values) -> Counted | Purposes:
    """What a file holds; without one, the purposes."""
    from sizeup import sft

    known = sft.purposes()
    if values["file"] is None:
        return Purposes(known)
    from sizeup.datasets.count import dataset as count

    tokenizer = values["model"]
    return Counted(count(ask.world.file(values["file"]), None if tokenizer is None else ask.world.file(tokenizer)), known)


DATASET = Operation(
    "dataset",
    (Parameter("file", FILE, shown="[FILE]", argument=True), Parameter("model", FILE, key="tokenizer", shown="FILE")),
    dataset,
)
