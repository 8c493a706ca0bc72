"""Run: python -m tools.quality FOLDER."""

import sys
from pathlib import Path

from . import quant_loss, rows, scores

if __name__ == "__main__":
    if len(sys.argv) == 2:
        rows.build(Path(sys.argv[1]))
    quant_loss.fit()
    scores.fit()
