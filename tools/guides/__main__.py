"""Run: python -m tools.guides."""

from . import inference, local, memory, scaling, weights  # noqa: F401  they register their answers
from .page import PAGE, page

if __name__ == "__main__":
    PAGE.write_text(page())
