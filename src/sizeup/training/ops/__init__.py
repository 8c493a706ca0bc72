"""The operations of training steps: what each allocates, keeps for its backward, and allocates there.

Each function does what the PyTorch operation of its name does on CUDA (torch 2.13, derivatives.yaml), bytes only.
Gradients of several inputs are made in the order of PyTorch's generated code, which decides what is alive with what.
"""

from .elementwise import activation as activation
from .elementwise import add as add
from .elementwise import chosen as chosen
from .elementwise import clamped as clamped
from .elementwise import cube as cube
from .elementwise import dropout as dropout
from .elementwise import expm1 as expm1
from .elementwise import fresh as fresh
from .elementwise import less as less
from .elementwise import minimum as minimum
from .elementwise import mul as mul
from .elementwise import rsqrt as rsqrt
from .elementwise import scaled as scaled
from .elementwise import shifted as shifted
from .elementwise import square as square
from .elementwise import to as to
from .layout import copied as copied
from .layout import halves_swapped as halves_swapped
from .layout import pieces as pieces
from .layout import reordered as reordered
from .layout import repeated as repeated
from .layout import slices as slices
from .layout import through_part as through_part
from .layout import through_slice as through_slice
from .layout import view as view
from .leaves import leaf as leaf
from .leaves import weight_of as weight_of
from .products import batched as batched
from .products import embedding as embedding
from .products import matrix as matrix
from .products import positions as positions
from .products import positions_embedded as positions_embedded
from .rows import layer_norm as layer_norm
from .rows import mean as mean
from .rows import softmax as softmax
