"""What runs on a node of the cluster to begin an application that only it can build. It is sent there as it stands, so it imports nothing of ours."""

from __future__ import annotations

from typing import Any


def build(import_path: str, args: dict[str, Any], name: str, route: str) -> str:
    """Begin the application that `import_path` builds of `args`, as `serve deploy` would, and wait for nothing; why it cannot be, "" where it begins."""
    import importlib

    from ray import serve

    module, _, builder = import_path.partition(":")
    try:
        built = getattr(importlib.import_module(module), builder)(args)
        target = serve.RunTarget(built, name=name, route_prefix=route)
        serve.run_many([target], wait_for_ingress_deployment_creation=False, wait_for_applications_running=False)
    except Exception as error:  # whatever that builder raises is told, and need not be of a class that is known here
        said = str(error).strip().splitlines() or [""]
        # What came from another process begins with its traceback and ends with the error.
        return said[-1].strip() if "ray::" in said[0] else " ".join([f"{type(error).__name__}:", *" ".join(said).split()])
    return ""
