"""Writes docs/small-devices.md: what phones, boards, scanners and the like hold and how fast. Run: python -m tools.small_devices."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from sizeup import search
from sizeup.hardware import Machine
from sizeup.i18n import texts
from sizeup.page import Page
from sizeup.plan import Plan
from sizeup.probe import machine, table
from sizeup.readers import read
from sizeup.render.names import speed_range

PAGE = Path(__file__).resolve().parent.parent / "docs" / "small-devices.md"
GROUPS = {
    "Phones": (
        "iphone-13-pro", "iphone-15-pro", "iphone-16-pro", "galaxy-s23-8gb", "xiaomi-13-12gb", "oneplus-12-24gb", "pixel-7a",
    ),
    "Label scanners": ("zebra-tc51", "zebra-tc58-4gb", "zebra-tc58", "honeywell-ct47"),
    "Boards": ("raspberry-pi-4-4gb", "raspberry-pi-4-8gb", "raspberry-pi-5-2gb", "raspberry-pi-5-8gb", "raspberry-pi-5-16gb"),
    "Jetson, and robots built on it": (
        "jetson-orin-nano-4gb", "jetson-orin-nano-8gb", "jetson-orin-nx-16gb", "jetson-agx-orin-64gb", "jetson-t5000-128gb",
    ),
    "Laptops with an NPU, on CPU or GPU": ("snapdragon-x-elite-16gb", "snapdragon-x-elite-32gb", "core-ultra-7-258v"),
    "NAS and router": ("synology-ds224plus", "openwrt-one"),
}  # fmt: skip
LADDER = (
    "gpt-oss:120b", "qwen3:32b", "qwen3:30b-a3b", "gpt-oss:20b", "qwen3:14b", "qwen3:8b", "qwen3:4b", "qwen3:1.7b", "qwen3:0.6b",
    "google/gemma-3-270m",
)  # fmt: skip
"""Models that are tried, the largest first."""
CONTEXT_TOKENS = 4096
BINDS = {"memory": "memory bandwidth", "": "memory size"}
"""What binds a speed, in the words of the page; where no speed is known the memory decides alone."""


class Row(NamedTuple):
    """One device with the largest model that fits it."""

    name: str
    box: Machine
    plan: Plan | None


def row(name: str) -> Row:
    """The device, and the first model of the ladder that fits it in the usual mix."""
    box = machine(name)
    for model in LADDER:
        mix = "MXFP4" if model.startswith("gpt-oss") else "Q4_K_M"
        plan = search.fit(read(model), box, quant=mix, context_tokens=CONTEXT_TOKENS)[0]
        if plan.fits:
            return Row(name, box, plan)
    return Row(name, box, None)


def cells(one: Row, page: Page) -> list[str]:
    """The cells of a device's line."""
    pool = one.box.pools[0]
    assumed = [
        word for word, source in (("memory", pool.source), ("what is free", pool.free_source)) if source and source.kind == "assumed"
    ]
    memory = f"{page.bytes(pool.bytes)}, {page.bytes(pool.free_bytes)} for a program" + (
        f" (assumed: {' and '.join(assumed)})" if assumed else ""
    )
    if one.plan is None:
        return [f"`{one.name}`", memory, "none of the list", "–", "memory"]
    speed = one.plan.speed.decode
    binds = speed.bound_by.partition(":")[0] if speed else ""
    told = speed_range(page, speed) if speed else "unknown: its bandwidth is not published"
    return [f"`{one.name}`", memory, f"{one.plan.model.name} {one.plan.quant}", told, BINDS.get(binds, binds)]


def page(groups: int = len(GROUPS)) -> str:
    """The whole page; fewer groups for a quick look."""
    drawn = Page(texts("en"))
    lines = [
        "# Small and special devices", "",
        "What they hold and how fast, by the same formulas as everything else: `sizeup fit MODEL --on NAME`. For each the largest of a list of",
        f"models that fits in Q4_K_M (gpt-oss as published) with {CONTEXT_TOKENS:,} tokens of context, the speed of writing as an 80 % interval, and what",
        "limits it. A figure that nobody published is labelled assumed. Nothing here was run on the device. Made by `python -m tools.small_devices`.",
        "What the system holds of boards (0.5 GiB) and laptops (4 GiB) is assumed.", "",
        "**What one app may hold.** A phone ends an app that takes too much, so what is free below is that limit, not what is left:", "",
        "* iOS (jetsam): as apps reported it for 4, 6, 8 and 12 GB, with the increased-memory-limit entitlement that apps for models ask for. Apple",
        "  names no figures and says they differ by model and state.",
        "* Android: no limit is published. The low-memory killer ends what is needed least; Android 17 adds a limit for each app that the maker sets.",
        "  Half of the memory is assumed, from one report. A shell in Termux is an app as well.", "",
        "The reports with their sources and dates are in `src/sizeup/data/app_limits.json`; `sizeup machine NAME` and `--why` show the one that counts.", "",
    ]  # fmt: skip
    for title in list(GROUPS)[:groups]:
        lines += [f"## {title}", "", "| device | memory | largest model | writes | limited by |", "| --- | --- | --- | --- | --- |"]
        lines += ["| " + " | ".join(cells(row(name), drawn)) + " |" for name in GROUPS[title]]
        lines += [""]
    if groups < len(GROUPS):
        return "\n".join(lines)
    lines += [
        "The NAS is told with both memory channels of its processor; with one module alone expect half of it.", "",
        "A robot's own programs hold memory beside the model, as much as its maker knows: say `--in-use 4GiB`. What is inside the controllers of",
        "Universal Robots or ABB nobody documents for programs of others, so they are not described; a box beside them is an ordinary machine.", "",
        "## Neural processors and microcontrollers", "",
        "Refused as machines, with what is so of them. llama.cpp uses CPU and GPU of the chips that they are in.", "",
        "| part | what runs on it |", "| --- | --- |",
    ]  # fmt: skip
    lines += [f"| {part.name} | {part.notes} |" for part in table.parts() if part.kind in table.ALONE]
    return "\n".join(lines) + "\n"


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
