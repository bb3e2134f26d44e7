"""Which runs, in which stacks, by which arithmetic, at what cost; standard library only."""

from .files import write_plan as write_plan
from .files import write_plans as write_plans
from .forecast import cost_before as cost_before
from .forecast import missing_stacks as missing_stacks
from .selection import make_plan as make_plan
from .selection import plans_at as plans_at
from .stacks import expected_seconds as expected_seconds
from .stacks import num_gpus as num_gpus
from .stacks import workload_of as workload_of
