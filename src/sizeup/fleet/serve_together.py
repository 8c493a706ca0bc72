"""Applications that are to run beside each other on a cluster: each has its place before any of them begins. Pure."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..errors import Unavailable
from ..model import ModelSpec
from .node import Inventory, Node
from .serve_launch import Launch, of_checkpoint, of_file
from .serve_llm import Handed, hand
from .serve_plan import Application, application, counted
from .serve_room import after_checkpoint, after_file


class Wish(NamedTuple):
    """A model that is to be served."""

    model: ModelSpec
    replicas: tuple[int, int]
    name: str | None
    plan: Mapping[str, Any]
    """What the plan must be like, by the names of `sizeup.fit`."""
    cores: int | None = None
    cards: str = ""


class Seated(NamedTuple):
    """A wish with its place."""

    asked: Application | Handed
    launch: Launch


def seated(
    wishes: Iterable[Wish], found: Inventory, files: Mapping[str, Mapping[str, int]], drain_s: float, wait_s: float | None = None
) -> list[Seated]:
    """All of them, each on what the ones before leave; `files` is `lies_at` -> node -> bytes there. Raises what `application` and `hand` raise."""
    places, left = [], found
    for model, replicas, name, plan, cores, cards in wishes:
        if on_processors(model):
            lying = files.get(lies_at(model), {})
            file = application(model, left, lying, replicas=replicas, cores=cores, name=name, drain_s=drain_s, **plan)
            places.append(Seated(file, of_file(file, wait_s)))
            left = after_file(left, file)
        else:
            checkpoint = hand(model, left, replicas=replicas, cards=cards, name=name, drain_s=drain_s, **plan)
            node = builder(checkpoint, found, files.get(lies_at(model)))
            places.append(Seated(checkpoint, of_checkpoint(checkpoint, node, wait_s)))
            left = after_checkpoint(left, checkpoint)
    return places


def on_processors(model: ModelSpec) -> bool:
    """Whether llama.cpp serves it there, from its one file; otherwise vLLM does on cards."""
    return model.stored == "gguf"


def lies_at(model: ModelSpec) -> str:
    """Where its file or folder has to be on every node; "" for one that the nodes fetch by its name."""
    path = model.path if on_processors(model) else model.named
    return os.path.abspath(path) if path and os.path.exists(path) else ""


def builder(asked: Handed, found: Inventory, lying: Mapping[str, int] | None) -> Node:
    """A node that can have a replica, with vLLM and with the checkpoint where that is a folder. Raises Unavailable without one."""
    able = [node for node in found.nodes if node.name in asked.group.nodes]
    lacks = {
        node.name: "has no vllm" if "vllm" not in node.software else "lacks the file" if lying is not None and lying[node.name] < 0 else ""
        for node in able
    }
    ready = next((node for node in able if not lacks[node.name]), None)
    if ready is None:
        raise Unavailable(
            f"No node of the cluster can run it: {counted(lacks)}.", 'pip install "ray[llm]" and the same checkpoint on the nodes'
        )
    return ready
