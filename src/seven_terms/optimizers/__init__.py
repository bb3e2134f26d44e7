"""Update rules and clipping on dictionaries of [R, ...] tensors; every run has its own hyper-parameters."""

from .clipping import Tensors as Tensors
from .clipping import clip as clip
from .clipping import gradient_norm as gradient_norm
from .rules import State as State
from .rules import hyper_parameters as hyper_parameters
from .rules import initial_state as initial_state
from .rules import update as update
