"""What making a model smaller would save and cost, technique by technique and together. (Named so because `sizeup.shrink` is a function.)"""

from __future__ import annotations

from .answer import Shrinkage as Shrinkage
from .answer import shrink as shrink
