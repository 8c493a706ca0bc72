"""The command line: verbs, what is printed where, JSON, derivations."""

from __future__ import annotations

import json

import pytest

from sizeup.cli import reordered
from tests.program import Run


def test_fit(sizeup: Run, model: str) -> None:
    """A model that fits: exit 0, the verdict, and the command to paste."""
    said = sizeup("fit", model)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[1].endswith("  fits")
    assert f"llama-server -m {model} -c 8192" in said.out.replace(" \\\n    ", " ")


def test_a_model_without_a_verb_means_fit(sizeup: Run, model: str) -> None:
    """`sizeup MODEL` is `sizeup fit MODEL`, wherever the options stand. On a described machine, whose free memory stands still."""
    box = ("--on", "raspberry-pi-5-8gb")
    whole = sizeup("fit", model, "--context", "4096", "--lang", "zh-Hant", *box)
    assert sizeup(model, "--context", "4096", "--lang", "zh-Hant", *box) == whole
    assert sizeup("--lang", "zh-Hant", model, "--context", "4096", *box) == whole
    assert sizeup("--lang=zh-Hant", "fit", model, "--context=4096", *box) == whole


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ([], ["home"]),
        (["--json"], ["home", "--json"]),
        (["--units", "si"], ["home", "--units", "si"]),
        (["x.gguf"], ["fit", "x.gguf"]),
        (["--lang", "en", "machine", "--json"], ["machine", "--json", "--lang", "en"]),
        (["--json", "--help"], ["--help"]),
        (["--help"], ["--help"]),
        (["fit", "--help"], ["fit", "--help"]),
    ],
)
def test_reordered(args: list[str], expected: list[str]) -> None:
    """The verb comes first; without one there is a default."""
    assert expected == reordered(args)


def test_does_not_fit_is_an_answer(sizeup: Run, large: str, small_box: str) -> None:
    """Exit 3, on standard output, with what is needed and what there is."""
    said = sizeup("fit", large, "--on", small_box)
    assert (said.code, said.err) == (3, "")
    assert said.out.splitlines()[1].endswith("does not fit")
    assert "900 MiB is free" in said.out
    again = sizeup("fit", large, "--on", small_box, "--json")
    assert (again.code, json.loads(again.out)["fits"]) == (3, False)


def test_json(sizeup: Run, model: str) -> None:
    """One document; bytes are integers and add up."""
    said = sizeup("fit", model, "--json")
    plan = json.loads(said.out)
    claims = plan["breakdown"]["claims"]
    assert (said.code, said.err, plan["fits"]) == (0, "", True)
    assert all(type(claim["bytes"]) is int for claim in claims)
    assert sum(claim["bytes"] for claim in claims) == plan["breakdown"]["total_bytes"]


def test_json_of_every_verb(sizeup: Run, model: str) -> None:
    """model, machine, explain and --why answer in JSON too."""
    assert json.loads(sizeup("model", model, "--json").out)["architecture"] == "llama"
    assert json.loads(sizeup("machine", "--json").out)["name"] == "this machine"
    listed = json.loads(sizeup("machine", "--list", "4090", "--json").out)
    assert {"GeForce RTX 4090", "GeForce RTX 4090 Laptop"} <= {device["name"] for device in listed["devices"]}
    assert json.loads(sizeup("explain", "gguf", "--json").out)["term"] == "GGUF"
    derivation = json.loads(sizeup("fit", model, "--why", "cache", "--json").out)["derivation"]
    assert sum(line["value"] for line in derivation) == 30 * 8192 * 2 * 192 * 2


def test_why_needs_no_part(sizeup: Run, model: str) -> None:
    """`--why` alone tells everything, also before the model; with a part only that one."""
    everything = sizeup("fit", "--why", model)
    assert everything == sizeup("fit", model, "--why")
    cache = sizeup("fit", model, "--why", "cache").out
    assert "keys and values of one layer" in cache
    assert len(cache) < len(everything.out)


def test_why_equals_the_answer(sizeup: Run, model: str) -> None:
    """What is explained is what was answered, part by part, to the byte."""
    answer = json.loads(sizeup("fit", model, "--json").out)["breakdown"]["claims"]
    told = json.loads(sizeup("fit", model, "--why", "--json").out)["derivation"]
    assert [(c["part"], c["bytes"]) for c in answer if c["bytes"]] == [(t["name"], t["value"]) for t in told][: len(answer)]
