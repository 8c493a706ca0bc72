"""Proofs and measurements as JSON, each with the prediction beside it."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..plan import Measurement


def proof_json(proof: Measurement) -> dict[str, Any]:
    """A proof: what was predicted and what the engine plans, part by part."""
    return measurement_json(proof, {part: planned - proof.difference_bytes.get(part, 0) for part, planned in proof.buffers.items()})


def measurement_json(measurement: Measurement, predicted: dict[str, int]) -> dict[str, Any]:
    """A measurement with the prediction beside it, part by part."""
    parts = {
        part: {
            "predicted_bytes": predicted.get(part),
            "measured_bytes": measured,
            "difference_bytes": None if part not in predicted else measured - predicted[part],
        }
        for part, measured in measurement.buffers.items()
    }
    points = [
        {**dataclasses.asdict(point), "reached": point.reached, "each_tokens_per_s": point.each_tokens_per_s}
        for point in measurement.points
    ]
    return {**dataclasses.asdict(measurement), "points": points, "parts": parts}
