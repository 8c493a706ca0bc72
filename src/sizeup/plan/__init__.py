"""Answers: what is claimed where, how fast, how it was found out, and the whole plan."""

from .breakdown import PARTS as PARTS
from .breakdown import Breakdown as Breakdown
from .breakdown import BreakdownJson as BreakdownJson
from .breakdown import Claim as Claim
from .breakdown import Correction as Correction
from .estimate import Speed as Speed
from .estimate import SpeedEstimate as SpeedEstimate
from .measurement import Evidence as Evidence
from .measurement import Level as Level
from .measurement import Measurement as Measurement
from .pool import Pool as Pool
from .pool import ServingBreakdown as ServingBreakdown
from .whole import Plan as Plan
