"""Run: python -m tools.guides."""

from . import buying, inference, local, machines, memory, scaling, tiers, weights  # noqa: F401  they register their answers
from .page import PAGE, page

if __name__ == "__main__":
    PAGE.write_text(page())
