"""What a model is worth for a task, and what of it a quantisation keeps; every figure with its interval and with how it is known."""

from __future__ import annotations

from .quant_loss import Kept as Kept
from .quant_loss import kept as kept
