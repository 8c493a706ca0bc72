"""Everything that was named, counted: the public way in (`sizeup.count_tokens`)."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path

from sizeup.datasets.tokenizer import tokenizer as read_tokenizer
from sizeup.errors import SizeupError, Unreadable, UserError
from sizeup.model import ModelSpec

from .decode import checked
from .found import Skipped, Tokens
from .medium import Reader
from .things import Binary, Manner, thing
from .vocabulary_of import LITTLE_BYTES, vocabulary_of
from .walk import Lying, files

Tell = Callable[[int, str], None]
"""Told the number of files that are done, and what comes next; "" at the end."""


def count_tokens(
    names: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    model: ModelSpec | str | None = None,
    *,
    tokenizer: str | os.PathLike[str] | None = None,
    encoding: str | None = None,
    everything: bool = False,
    raw: bool = False,
    engine: str = "llama.cpp",
    frames_per_s: float | None = None,
    tell: Tell = lambda done, coming: None,
) -> Tokens:
    """Tokens of files and folders: counted where the tokenizer of `model` is on this machine, else estimated by script.

    `model` is what `sizeup.read` takes; `tokenizer` is a tokenizer.json or GGUF file to count with. `encoding` is that of texts which
    name none; `everything` enters hidden, ignored and built folders too; `raw` counts web pages and chats as they are written. Pictures
    and recordings go by the model's rule under `engine`, `frames_per_s` of a film in place of its own pace. What cannot be read is in
    `.skipped`, and the rest is counted. Raises UserError, NotFound or Unreadable when nothing can be.
    """
    wanted = [os.fspath(names)] if isinstance(names, str | os.PathLike) else [os.fspath(name) for name in names]
    if not wanted:
        raise UserError("No file is named.", "sizeup tokens FILE, or a folder")
    if encoding is not None:
        encoding = checked(encoding)
    if frames_per_s is not None and not frames_per_s > 0:
        raise UserError(f"At {frames_per_s:g} frames a second nothing of a film is seen.", "--frames-per-s 0.5")
    found = Tokens()
    lying = files(wanted, lambda why: _passed(found, why), lambda name, error: _skipped(found, name, error), everything)
    first = next(lying, None)
    several = [] if first is None else [first]
    counter, said = None, ""
    spec: ModelSpec | None = None
    if model is not None:
        from sizeup.search import read_model

        spec = read_model(model)
    if tokenizer is not None:
        counter = read_tokenizer(Path(tokenizer))
        if counter is None:
            raise Unreadable(f"{tokenizer} is no tokenizer.", "a tokenizer.json, a GGUF file, or a folder with one of them")
    elif spec is not None:
        # How much there is to count is seen from the first files; many are never little.
        for one in lying:
            several.append(one)
            if len(several) > 100 or _bytes(several) > LITTLE_BYTES:
                break
        counter, said = vocabulary_of(spec, _bytes(several))
    found.tokenizer = counter.name if counter else ""
    reader = Reader(counter, spec, engine, frames_per_s)
    for number, one in enumerate(chain(several, lying)):
        tell(number, str(one.path))
        _count(found, one, Manner(reader, encoding, raw, functools.partial(tell, number)))
    tell(len(found.things), "")
    if said and any(thing.characters for thing in found.things):
        found.notes.append(said)
    if not found.known:
        raise _nothing(found, wanted)
    return found


def _count(found: Tokens, one: Lying, manner: Manner) -> None:
    try:
        found.things.append(thing(one.path, manner))
    except Binary:
        if one.named:
            _skipped(
                found,
                str(one.path),
                Unreadable(f"{one.path} is neither text nor of a kind that is counted.", "a text, PDF, picture or recording"),
            )
        else:
            _passed(found, "binary")
    except SizeupError as error:
        if not one.named and error.message.endswith(" is empty."):
            _passed(found, "empty")
        else:
            _skipped(found, str(one.path), error)
    except OSError as error:
        _skipped(found, str(one.path), Unreadable(f"{one.path} cannot be read: {error.strerror or error}.", "another file"))


def _passed(found: Tokens, why: str) -> None:
    found.passed_over[why] = found.passed_over.get(why, 0) + 1


def _skipped(found: Tokens, name: str, error: SizeupError) -> None:
    found.skipped.append(Skipped(name, error.message, error.hint, error.exit_code))


def _nothing(found: Tokens, wanted: Sequence[str]) -> SizeupError:
    """Why there is no answer at all."""
    why = [*found.skipped, *(Skipped(one.path, one.notes[-1], "a model that takes it, or a whole file") for one in found.things)]
    if not why:
        return Unreadable(f"There is nothing to count in {wanted[0]}.", "--all, or a file by its name")
    first = why[0]
    error = SizeupError(first.message, first.hint)
    if len(why) > 1:
        error = SizeupError(f"Nothing of {len(why):,} files can be counted. {first.message}", first.hint)
    error.exit_code = first.exit_code
    return error


def _bytes(several: Sequence[Lying]) -> int:
    total = 0
    for one in several:
        try:
            total += one.path.stat().st_size
        except OSError:
            continue
    return total
