"""How updates are made: eager, compiled, native or serial, behind the one protocol `Advance`."""

from collections.abc import Mapping

from ...records.runs import Mode
from .compiled import Compiled as Compiled
from .eager import Eager as Eager
from .native import Native as Native
from .protocol import Advance as Advance
from .protocol import StackParts as StackParts
from .protocol import StackState as StackState
from .serial import Serial as Serial

WAYS: Mapping[Mode, type[Advance]] = {"eager": Eager, "compiled": Compiled, "native": Native, "serial": Serial}
