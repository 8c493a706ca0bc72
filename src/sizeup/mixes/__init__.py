"""Mixes: llama.cpp's rules for the type of every tensor in a quantised file. `Q4_K_M` is a rule over tensors, not a type.

The rules are rows (data/mixes.json) in llama.cpp's own order; this package walks the tensors as its quantiser does: sorted
by block and name, counting attention values and feed-forward parts on the way. The converter's choice of 32 or 16 bits
for tensors that are not quantised is here too.
"""

from .assign import assign as assign
from .assign import converted_type as converted_type
from .table import FLOATS as FLOATS
from .table import Mix as Mix
from .table import MixFacts as MixFacts
from .table import mix as mix
from .table import mixes as mixes
from .tensors import block_of as block_of
from .tensors import dimensions as dimensions
from .tensors import is_quantised as is_quantised
from .tensors import quantiser_order as quantiser_order
from .walk import fitting as fitting
