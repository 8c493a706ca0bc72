"""What to type to run a plan in a tool that is not here."""

from __future__ import annotations

from sizeup.drive.hand import Hand
from sizeup.page import Page, indented

from .tables import EDGE

NAMES = {"ollama": "Ollama", "lmstudio": "LM Studio", "mlx": "MLX", "vllm": "vLLM"}


def hand(page: Page, found: Hand) -> str:
    """Files with their names, then commands; neither is broken into lines, as both are copied."""
    t = page.texts
    tool = NAMES.get(found.tool, found.tool)
    lines = ["", *indented(t("drive.here" if found.here else "drive.not_here", tool=tool), page.width, EDGE), ""]
    for name, content in found.files.items():
        lines += [EDGE + page.paint(name, "strong"), *(f"{EDGE}  {line}" for line in content.rstrip("\n").split("\n")), ""]
    lines += [f"{EDGE}{line}" for command in found.commands for line in command.split("\n")]
    return "\n".join(line.rstrip() for line in lines) + "\n\n"
