"""Native updates: our own kernels for small networks, compiled once on the machine that trains."""

from .library import compiled_by as compiled_by
from .updates import Native as Native
