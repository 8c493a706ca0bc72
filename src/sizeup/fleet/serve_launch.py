"""How an application begins on a Ray cluster: a model file with our replica, a checkpoint with Ray Serve LLM's."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from ..errors import EngineFailed
from . import serve_build
from .node import Node
from .serve_llm import Handed
from .serve_plan import DRAIN_LOOP_S, Application

HEALTH_S = 5.0
HEALTH_WAIT_S = 30.0
STARTS = 3
"""How often Ray tries to start a replica before it calls the application failed."""

SCALE_UP_S, SCALE_DOWN_S = 10.0, 300.0
"""How long more requests, or fewer, must last before Ray starts or ends a replica: a start costs a load of the weights."""


class Launch(NamedTuple):
    """An application that is to begin."""

    name: str
    wait_s: float
    """How long it may take until it answers."""
    failed: Callable[[str], EngineFailed]
    """Why it does not start -> the error."""
    begin: Callable[[ModuleType, ModuleType, str], None]
    """Ray, Ray Serve and the route -> it has begun; nothing is waited for."""


def of_file(asked: Application, wait_s: float | None = None) -> Launch:
    """A model file, by the embedded llama.cpp on processors."""

    def begin(ray: ModuleType, serve: ModuleType, route: str) -> None:
        target = serve.RunTarget(deployment(serve, asked), name=asked.name, route_prefix=route)
        serve.run_many([target], wait_for_ingress_deployment_creation=False, wait_for_applications_running=False)

    return Launch(asked.name, wait_s or asked.start_s, file_failed, begin)


def of_checkpoint(asked: Handed, node: Node, wait_s: float | None = None) -> Launch:
    """A checkpoint, by vLLM on cards. Ray Serve LLM builds the application on `node`, which has vLLM: here it need not be."""
    application: dict[str, Any] = asked.config["applications"][0]

    def begin(ray: ModuleType, serve: ModuleType, route: str) -> None:
        from ray import cloudpickle
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        # The task travels as it is written: the node needs Ray and nothing of ours.
        cloudpickle.register_pickle_by_value(serve_build)
        try:
            there = NodeAffinitySchedulingStrategy(node.labels["ray.io/node-id"], soft=False)
            task = ray.remote(num_cpus=0, max_retries=0)(serve_build.build).options(scheduling_strategy=there)
            asking = task.remote(application["import_path"], application["args"], application["name"], route)
        finally:
            cloudpickle.unregister_pickle_by_value(serve_build)
        try:
            trouble = ray.get(asking)
        except ray.exceptions.RayError as error:
            trouble = str(error).strip().splitlines()[-1]
        if trouble:
            raise checkpoint_failed(f"{node.name}, {trouble[:300].rstrip('.')}")

    return Launch(application["name"], wait_s or asked.start_s, checkpoint_failed, begin)


def file_failed(why: str) -> EngineFailed:
    """With Ray's own reason."""
    return EngineFailed(f"Ray Serve did not start it: {why}.", "sizeup run FILE.gguf --serve on one of the nodes")


def checkpoint_failed(why: str) -> EngineFailed:
    """The same, where vLLM was to run it."""
    return EngineFailed(
        f"Ray Serve did not start it: {why}.", 'pip install "ray[llm]" on the nodes, or --to FILE for the configuration alone'
    )


def deployment(serve: ModuleType, asked: Application) -> Any:
    """A model file's application as Ray Serve takes it."""
    from .serve_replica import Replica

    least, most = asked.replicas
    scaling: dict[str, Any] = {"num_replicas": least}
    if most > least:
        scaling = {
            "autoscaling_config": {
                "min_replicas": least,
                "max_replicas": most,
                "target_ongoing_requests": asked.sequences,
                "upscale_delay_s": SCALE_UP_S,
                "downscale_delay_s": SCALE_DOWN_S,
            }
        }
    actor: dict[str, Any] = {"num_cpus": asked.cores, "memory": asked.memory_bytes}
    if asked.selector:
        actor["label_selector"] = dict(asked.selector)
    made = serve.deployment(Replica).options(
        name=asked.model.replace("#", "-"),  # Ray joins the names of an application and of what is in it by this sign
        # One waits at the engine, so that it goes on without a pause; the others wait at Ray's, which knows every replica.
        max_ongoing_requests=asked.sequences + 1,
        ray_actor_options=actor,
        max_constructor_retry_count=STARTS,
        health_check_period_s=HEALTH_S,
        health_check_timeout_s=HEALTH_WAIT_S,
        graceful_shutdown_wait_loop_s=DRAIN_LOOP_S,
        graceful_shutdown_timeout_s=asked.drain_s,
        **scaling,
    )
    return made.bind(asked.job)
