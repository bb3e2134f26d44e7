"""Initial parameters of one run, from its seed alone.

Every weight and bias takes its own standard normals z, in the order of the modules, whatever the kind: runs of equal seed
and different kind or scale are paired. Uniform numbers are Phi(z).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from seven_terms import spec
from seven_terms.seeds import subseed
from seven_terms.spec import require

from .linear import Convolution, Linear

SPARSE_INPUTS, SPARSE_RADIUS = (
    15,
    0.95,
)  # Pascanu et al. 2013: 15 non-zero incoming connections per unit, as in the text
Drawn = dict[str, Tensor]
NUM_BLOCKS = {
    nn.LSTM: 4,
    nn.LSTMCell: 4,
    nn.GRU: 3,
    nn.GRUCell: 3,
    nn.MultiheadAttention: 3,
}  # matrices on top of each other


def initial_parameters(
    module: nn.Module, initialization: spec.Initialization, seed: int, *, again: Callable[[], nn.Module] | None = None
) -> Drawn:
    """Return what `InitialParameters` draws once."""
    return InitialParameters(module, again=again)(initialization, seed)


class InitialParameters:
    """Draws {name: tensor} for every parameter of a module, in its dtype; drawn in float64. The module is walked once.

    Our layers are drawn here. Any other module of somebody's net is drawn by its own constructor for kind `default`, which
    `again` runs with random numbers of this seed, and here for other kinds: matrices and kernels by their fan-in, the biases
    beside them by `bias_scale`. Vectors of modules that have no matrix (normalization, gates) stay as their constructor
    leaves them. A module may have the last word by `after_drawing(drawn, initialization, generator)`.
    """

    def __init__(self, module: nn.Module, *, again: Callable[[], nn.Module] | None = None) -> None:
        foreign = any(_is_foreign(child) for child in module.modules())
        assert again is not None or not foreign, "somebody's module is drawn by its constructor"
        self.again = again if foreign else None
        self.names = [name for name, _ in module.named_parameters()]
        self.authored = dict(_named(module))
        self.places = [
            (f"{prefix}.{name}" if prefix else name, child, name, parameter.dtype)
            for prefix, child in module.named_modules()
            for name, parameter in child.named_parameters(recurse=False)
        ]
        last = (getattr(child, "after_drawing", None) for child in module.modules())
        self.last_words = [after_drawing for after_drawing in last if after_drawing is not None]

    def __call__(self, initialization: spec.Initialization, seed: int) -> Drawn:
        generator = torch.Generator().manual_seed(subseed(seed, "initialization"))
        authored = self.authored if self.again is None else _authored(self.again, seed)
        drawn: Drawn = {}
        for whole, child, name, dtype in self.places:
            value = _draw(child, name, initialization, generator=generator, seed=seed, authored=authored[whole])
            drawn[whole] = value.to(dtype)
        for after_drawing in self.last_words:
            after_drawing(drawn, initialization, generator)
        return {name: drawn[name] for name in self.names}


def _named(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    return ((name, parameter.detach().clone()) for name, parameter in module.named_parameters(remove_duplicate=False))


def _is_foreign(child: nn.Module) -> bool:
    own = type(child).__module__.startswith("seven_terms.")
    return not own and any(True for _ in child.parameters(recurse=False))


def _authored(again: Callable[[], nn.Module], seed: int) -> Drawn:
    """Return what a constructor draws with random numbers of this seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(subseed(seed, "initialization"))
        return dict(_named(again()))


def require_drawn(again: Callable[[], nn.Module], *, what: str) -> None:
    """Raise ValueError where a matrix of somebody's module starts with the same numbers for every seed."""
    one, other = _authored(again, 0), _authored(again, 1)
    matrices = [name for name, value in one.items() if value.dim() >= 2]
    same = [name for name in matrices if torch.equal(one[name], other[name])]
    fixed = [name for name in same if one[name].numel() > 1 and one[name].min() != one[name].max()]
    fixed = fixed or (same if matrices and len(same) == len(matrices) else [])
    must = "its matrices must be drawn from PyTorch's random numbers when it is made, so that seeds differ"
    do = "draw them in its constructor, without a seed or a generator of their own"
    require(not fixed, what=what, must=must, got=f"the same {fixed[:1]} for every seed", do=do)


def _draw(
    child: nn.Module,
    name: str,
    initialization: spec.Initialization,
    *,
    generator: torch.Generator,
    seed: int,
    authored: Tensor,
) -> Tensor:
    ours = isinstance(child, (Linear, Convolution))
    if not ours and all(parameter.dim() < 2 for parameter in child.parameters(recurse=False)):
        return authored.clone()
    z = torch.randn(authored.shape, generator=generator, dtype=torch.float64)
    if authored.dim() < 2:
        keeps = not ours and initialization.kind == "default" and initialization.bias_scale == 0.0
        return authored.clone() if keeps else _bias(child, z, initialization)
    if not ours and initialization.kind == "default":
        return authored * initialization.scale
    num_blocks = getattr(child, "num_blocks", NUM_BLOCKS.get(type(child), 1) if authored.dim() == 2 else 1)
    weight = torch.cat([_weight(child, block, initialization, seed=seed) for block in z.chunk(num_blocks)])
    return weight.mul_(initialization.scale * getattr(child, "initial_factor", 1.0))


def _bias(child: nn.Module, z: Tensor, initialization: spec.Initialization) -> Tensor:
    if initialization.kind == "default" and initialization.bias_scale == 0.0:
        return _uniform(z, 1.0 / math.sqrt(_default_fan(child)))
    return z * (initialization.bias_scale / getattr(child, "bias_multiplier", 1.0))


def _weight(child: nn.Module, z: Tensor, initialization: spec.Initialization, *, seed: int) -> Tensor:
    """Return one matrix [out, in, ...] of the given kind, before `scale`."""
    recurrent = getattr(child, "role", "") == "recurrent"
    factor = initialization.recurrent_scale if recurrent else 1.0
    if initialization.kind == "smart_tanh" and recurrent:
        return _sparse(z, seed) * factor
    if initialization.kind == "default":
        return _uniform(z, factor / math.sqrt(_default_fan(child)))
    return _dense(z, initialization.kind, factor)


def _dense(z: Tensor, kind: str, factor: float) -> Tensor:
    fan_in, fan_out = z[0].numel(), z[:, 0].numel()
    match kind:
        case "uniform_fan_in":
            return _uniform(z, factor / math.sqrt(fan_in))
        case "glorot":
            return _uniform(z, factor * math.sqrt(6.0 / (fan_in + fan_out)))
        case "orthogonal":
            return _orthogonal(z) * factor
        case "constant":
            return torch.full_like(z, factor)
    return z.mul_(factor * _standard_deviation(kind, fan_in))


def _standard_deviation(kind: str, fan_in: int) -> float:
    fixed = {"gaussian": 1.0, "basic_tanh": 0.1, "sigmoid": 0.01, "smart_tanh": 0.01}
    return fixed[kind] if kind in fixed else math.sqrt((2.0 if kind == "he" else 1.0) / fan_in)


def _uniform(z: Tensor, bound: float) -> Tensor:
    return torch.special.ndtr(z).mul_(2.0 * bound).sub_(bound)


def _orthogonal(z: Tensor) -> Tensor:
    """Return a Haar-distributed semi-orthogonal matrix: QR with the signs of R's diagonal taken out (Mezzadri 2007)."""
    flat = z.flatten(1)
    tall = flat if flat.shape[0] >= flat.shape[1] else flat.t()
    q, r = torch.linalg.qr(tall)
    q = q * r.diagonal().sign()
    return (q if flat.shape[0] >= flat.shape[1] else q.t()).reshape(z.shape)


def _sparse(z: Tensor, seed: int) -> Tensor:
    """Return a square matrix of 15 normal entries a row, rescaled to spectral radius 0.95."""
    generator = torch.Generator().manual_seed(subseed(seed, "initialization", 1))
    order = torch.rand(z.shape, generator=generator, dtype=torch.float64).argsort(1)
    sparse = torch.where(order < SPARSE_INPUTS, z, 0.0)
    return sparse * (SPARSE_RADIUS / torch.linalg.eigvals(sparse).abs().max())


def _default_fan(child: nn.Module) -> int:
    return child.default_fan if isinstance(child, Linear) else child.get_parameter("weight")[0].numel()
