"""Whether a browser tab can download and run a model, in which engine, and how fast: the reference of the page's own module.

What a tab tells of itself becomes a `Device`; rows of known builds, or a model that sizeup read, become `Model`s; `judge`
puts them together. web/static/browser/verdict.js says the same in JavaScript and is held to it by shared vectors.
"""

from .device import Device as Device
from .model import Model as Model
from .verdict import Verdict as Verdict
from .verdict import judge as judge
