"""vLLM's CPU build under Ray as if the declared cards of a test's cluster were what it computes on. A plugin of vLLM, for tests alone.

By itself vLLM's CPU platform has no word for Ray's bundles and is refused by its Ray executor, which Ray Serve LLM wants for cards.
Here it answers to `GPU`, which the simulated nodes declare; everything else of Ray, Ray Serve LLM and vLLM is as it came.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


def found() -> str:
    """Where vLLM finds the platform."""
    return "tests.declared_card.DeclaredCard"


def install(folder: Path) -> None:
    """Tell vLLM of it: what lies in `folder` is a distribution's record, seen by a Python that has it on its path."""
    record = folder / "declared_card-1.dist-info"
    record.mkdir()
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: declared-card\nVersion: 1\n")
    (record / "entry_points.txt").write_text("[vllm.platform_plugins]\ndeclared_card = tests.declared_card:found\n")


def __getattr__(name: str) -> Any:
    if name != "DeclaredCard":
        raise AttributeError(name)
    from vllm.platforms.cpu import CpuPlatform

    class DeclaredCard(CpuPlatform):  # type: ignore[misc]
        ray_device_key = "GPU"

        @classmethod
        def check_and_update_config(cls, vllm_config: Any) -> None:
            """The CPU platform would run its ranks in processes of its own instead of Ray's."""
            backend = vllm_config.parallel_config.distributed_executor_backend
            super().check_and_update_config(vllm_config)
            vllm_config.parallel_config.distributed_executor_backend = backend

    return DeclaredCard
