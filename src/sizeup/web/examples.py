"""Questions that are posted, as one may copy them: in the description of REST and in docs/rest.md; a test asks them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NODES = {
    "name": "lab",
    "node": [
        {"name": "h100", "machine": "4x h100-sxm", "count": 3, "free_cards": 3, "resource": "nvidia.com/gpu"},
        {"name": "cpu", "machine": "epyc-9654", "ram": "384GiB", "labels": {"zone": "b"}},
    ],
}
LOAD = {
    "availability": "1-node",
    "model": [
        {"model": "Qwen/Qwen3-32B", "users": 40, "ttft": "2s", "tpot": "50ms"},
        {"model": "Qwen/Qwen3-0.6B", "requests_per_s": 2, "prompt_tokens": 300, "answer_tokens": 100},
    ],
}
EXAMPLES: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "fleet_plan": {
        "one_model": {"model": "qwen3:32b", "users": 100, "on": ["4x h100-sxm"], "count": [3]},
        "several_models": {"load": LOAD, "nodes": NODES},
        "files": {"model": "Qwen/Qwen3-8B", "requests_per_s": 20, "ttft": "1s", "nodes": NODES, "emit": "deployment"},
    }
}
