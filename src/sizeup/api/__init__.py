"""The operations of sizeup, once for every skin: the same JSON from the command line, REST and tools for assistants.

Integers stay integers; keys end in `_bytes`, `_tokens`, `_s` or `_per_s`; unknown is null.
"""

from .browser import browsers_json as browsers_json
from .browser import visitors_json as visitors_json
from .fields import interval_json as interval_json
from .grids import grid_json as grid_json
from .logs import logs_json as logs_json
from .markets import guide_json as guide_json
from .markets import machines_json as machines_json
from .markets import together_json as together_json
from .markets import upgrades_json as upgrades_json
from .measurements import measurement_json as measurement_json
from .measurements import proof_json as proof_json
from .plans import choice_json as choice_json
from .plans import fit_json as fit_json
from .plans import plan_json as plan_json
from .plans import speed_json as speed_json
from .plans import speeds_json as speeds_json
from .things import ghost_json as ghost_json
from .things import known_json as known_json
from .things import machine_json as machine_json
from .things import model_json as model_json
from .tokens import tokens_json as tokens_json
from .training import dataset_json as dataset_json
from .training import pretraining_json as pretraining_json
from .training import purposes_json as purposes_json
