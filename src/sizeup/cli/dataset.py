"""sizeup dataset: how many tokens a file of examples holds, and how many examples which purpose takes."""

from __future__ import annotations

import click

from .verb import Asked, Option, Verb


def dataset(asked: Asked, file: str | None, model: str | None) -> None:
    """Print what a file holds; without one, the purposes."""
    from sizeup import sft
    from sizeup.render.dataset import dataset as page
    from sizeup.render.dataset import purposes

    known = sft.purposes()
    if file is None:
        from sizeup.api import purposes_json

        asked.say_json(purposes_json(known)) if asked.json else asked.say(purposes(asked.page, known))
        return
    from sizeup.datasets.count import dataset as count

    found = count(file, model)
    if asked.json:
        from sizeup.api import dataset_json

        asked.say_json(dataset_json(found))
    else:
        asked.say(page(asked.page, found, known))


command = Verb(
    "dataset",
    dataset,
    [
        click.Argument(["file"], metavar="[FILE]", required=False, type=click.Path()),
        Option(["--model"], "tokenizer", metavar="FILE", type=click.Path()),
    ],
)
