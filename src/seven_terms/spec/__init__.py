"""The vocabulary of the project: experiments, claims and figures as frozen values; standard library only.

Shape suffixes used in numerical code: R run, B batch, T time, D feature, C class, S seed, P parameter.
"""

from .checked import checked as checked
from .checks import require as require
from .claims import *
from .experiment import *
from .figures import *
from .kinds import *
from .measures import *
from .models import *
from .optimizers import *
from .probes import *
from .refusals import number_fields as number_fields
from .schedules import *
from .schedules import factor as factor
from .tasks import *
