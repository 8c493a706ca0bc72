"""Worked examples: what a term of the field comes to on one machine with one model, by the same formulas as every answer.

A kind of example is one function from a scene to figures (`work_out.KINDS`); which term takes which kind is data (data/glossary.json).
"""

from __future__ import annotations

from .work_out import Example as Example
from .work_out import work_out as work_out
