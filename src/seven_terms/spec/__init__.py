"""The vocabulary of the project: experiments, claims and figures as frozen values; standard library only.

Shape suffixes used in numerical code: R run, B batch, T time, D feature, C class, S seed, P parameter.
"""

import types
from typing import Literal

from .checked import checked as checked
from .checks import require as require
from .claims import *
from .collecting import collect as collect
from .collecting import questions as questions
from .estimates import *
from .experiment import *
from .figures import *
from .kinds import *
from .lightning import Cost as Cost
from .lightning import Instance as Instance
from .lightning import LightningTraining as LightningTraining
from .measures import *
from .metrics import Direction as Direction
from .metrics import Metric as Metric
from .metrics import direction_of as direction_of
from .metrics import metric_of as metric_of
from .metrics import metrics_of as metrics_of
from .metrics import on_test_split as on_test_split
from .models import *
from .optimizers import *
from .probes import *
from .refusals import number_fields as number_fields
from .rules import *
from .schedules import *
from .selections import *
from .tasks import *
from .theories import THEORIES as THEORIES
from .transformer import *
from .vocabulary import *

__all__ = [  # pyright: ignore[reportUnsupportedDunderAll]  # what `import *` brings: every kind, union and word
    name
    for name, value in list(globals().items())
    if not name.startswith("_")
    and (
        isinstance(value, (types.UnionType, type(Literal[0]), type(Literal[0] | int)))
        or getattr(value, "__module__", "").startswith("seven_terms.spec")
    )
]
