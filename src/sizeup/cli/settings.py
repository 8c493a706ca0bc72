"""Options that become settings of an engine, shared by the verbs that make plans."""

from __future__ import annotations

from typing import Any

import click

from sizeup.errors import UserError
from sizeup.units import parse_bytes, parse_count

from .verb import Option


class Count(click.ParamType):  # type: ignore[type-arg]
    """A whole number of tokens: 8192, 8,192 or 32K."""

    name = "count"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if isinstance(value, int) else parse_count(value)


class Counts(click.ParamType):  # type: ignore[type-arg]
    """Several whole numbers apart by commas: 0,4096,16K."""

    name = "counts"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if isinstance(value, tuple) else tuple(parse_count(piece) for piece in value.split(","))


class Size(click.ParamType):  # type: ignore[type-arg]
    """Bytes: 24GiB or 24GB; 24G is refused with both readings."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if isinstance(value, int) else parse_bytes(value)


class Layers(click.ParamType):  # type: ignore[type-arg]
    """A number of layers, or "all"."""

    name = "layers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, int) or value == "all":
            return value
        try:
            return int(value)
        except ValueError:
            raise UserError(f"“{value}” is not a number of layers.", "a number, or all") from None


class Outputs(click.ParamType):  # type: ignore[type-arg]
    """Rows of logits an engine keeps: "server", "library" or a number."""

    name = "outputs"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, int) or value in ("server", "library"):
            return value
        try:
            return int(value)
        except ValueError:
            raise UserError(f"“{value}” is not a way to keep outputs.", "server, library, or a number of rows") from None


def model_argument() -> click.Argument:
    """The model that a verb is about."""
    return click.Argument(["model"], metavar="MODEL", type=Model())


def model_arguments() -> click.Argument:
    """The models that a verb is about, one or more."""
    return click.Argument(["models"], metavar="MODEL", type=Model(), nargs=-1, required=True)


class Model(click.ParamType):  # type: ignore[type-arg]
    """Anything that `sizeup.read` takes; the shell completes files and names of the catalogue."""

    name = "model"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        from sizeup.readers.catalogue_data import index

        word = incomplete.lower()
        names = [name for name in (*index().ollama, *index().ids) if word and name.lower().startswith(word)]
        return [CompletionItem(name) for name in names[:50]] or [CompletionItem(incomplete, type="file")]


class MachineName(click.ParamType):  # type: ignore[type-arg]
    """Anything that `sizeup.machine` takes; the shell completes names of devices and machines, and files."""

    name = "machine"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        from sizeup.probe.described import typed

        names = typed(incomplete) if incomplete else []
        return [CompletionItem(name) for name in names[:50]] or [CompletionItem(incomplete, type="file")]


def machine_options() -> list[click.Parameter]:
    """Options that name another machine."""
    return [Option(["--on"], metavar="MACHINE", type=MachineName()), Option(["--ram"], type=Size(), metavar="SIZE")]


def plan_options() -> list[click.Parameter]:
    """Options that say what a plan must be like."""
    return [
        *machine_options(),
        Option(["--quant"], metavar="MIX"),
        Option(["--context"], type=Count(), metavar="TOKENS"),
        Option(["--sequences"], type=Count(), metavar="N"),
        Option(["--kv-type"], metavar="TYPE|K/V"),
        Option(["--gpu-layers"], type=Layers(), metavar="N|all"),
        Option(["--cpu-moe-layers"], type=Layers(), metavar="N|all"),
        Option(["--batch"], type=Count(), metavar="TOKENS"),
        Option(["--ubatch"], type=Count(), metavar="TOKENS"),
        Option(["--flash-attention/--no-flash-attention"], default=None),
        Option(["--unified"], is_flag=True),
        Option(["--swa-full"], is_flag=True),
        Option(["--no-repack"], is_flag=True),
        Option(["--no-mmap"], is_flag=True),
        Option(["--outputs"], type=Outputs(), metavar="server|library|N"),
        Option(["--engine"], default="llama.cpp", metavar="NAME"),
        Option(["--assume"], metavar="ARCHITECTURE"),
    ]


def settings(chosen: dict[str, Any]) -> dict[str, Any]:
    """The engine's settings that were given, by the names of `sizeup.account`; what was not given is left out."""
    given: dict[str, Any] = {
        "sequences": chosen["sequences"],
        "gpu_layers": chosen["gpu_layers"],
        "cpu_moe_layers": chosen["cpu_moe_layers"],
        "batch_tokens": chosen["batch"],
        "micro_batch_tokens": chosen["ubatch"],
        "flash_attention": chosen["flash_attention"],
        "unified_cache": chosen["unified"] or None,
        "swa_full": chosen["swa_full"] or None,
        "repack": False if chosen["no_repack"] else None,
        "mmap": False if chosen["no_mmap"] else None,
        "outputs": chosen["outputs"],
    }
    if chosen["kv_type"]:
        k, _, v = chosen["kv_type"].lower().partition("/")
        given |= {"k": k, "v": v or k}
    return {name: value for name, value in given.items() if value is not None}


def find_machine(on: str | None, ram: int | None) -> Any:
    """This machine, or the one of this name with this much host memory."""
    from sizeup.probe import machine

    if ram is not None and on is None:
        raise UserError("--ram is for a machine named by --on; this one's memory is read.", "--on MACHINE --ram SIZE")
    return machine(on, ram=ram) if ram is not None else machine(on)


def read_model(name: str, assume: str | None) -> Any:
    """The model of this name or path, described; `assume` names the architecture to treat an unknown one as."""
    from sizeup.readers import read

    return read(name, assume=assume) if assume else read(name)
