import pytest
import torch
from torch import Tensor

from seven_terms import spec
from seven_terms.optimizers import clip, hyper_parameters, initial_state, update

SHAPES = {"layers.0.linear.weight": (37, 53), "layers.0.linear.bias": (37,), "readout.weight": (5, 37)}
RULES = {
    "sgd": [spec.Sgd(learning_rate=0.1 * (1 + run), momentum=0.03 * run) for run in range(33)],
    "adamw": [spec.Adam(learning_rate=0.01 * (1 + run), weight_decay=0.1, decoupled=True) for run in range(33)],
}


def draw(num_runs: int, seed: int) -> dict[str, Tensor]:
    """Return float32 tensors whose run r depends on r and the seed alone."""
    generators = [torch.Generator().manual_seed(1000 * seed + run) for run in range(num_runs)]
    return {name: torch.stack([torch.randn(shape, generator=g) for g in generators]) for name, shape in SHAPES.items()}


def train(rules: list[spec.Optimizer], *, hyper_of: list[spec.Optimizer] | None = None) -> dict[str, Tensor]:
    num_runs, hyper = len(rules), hyper_parameters(hyper_of or rules)
    hyper = {name: values[:num_runs] for name, values in hyper.items()}
    params = draw(num_runs, 0)
    state, threshold = initial_state(rules[0], params, hyper), torch.full((num_runs,), 5.0, dtype=torch.float64)
    for step in range(5):
        grads, _, _ = clip(threshold, threshold / 10, threshold / 100, params, draw(num_runs, step + 1))
        params, state = update(rules[0], hyper, hyper["learning_rate"], params, grads, state, step)
    return params


@pytest.mark.parametrize("kind", RULES)
def test_clipped_updates_have_the_same_bits_in_every_stack(kind: str) -> None:
    largest = train(RULES[kind])
    for num_runs in (2, 3, 8):
        params = train(RULES[kind][:num_runs])
        for name in SHAPES:
            assert torch.equal(params[name][:-1], largest[name][: num_runs - 1])  # the last run is padding


def test_leaving_momentum_out_gives_the_same_numbers_as_a_momentum_of_zero() -> None:
    plain = [spec.Sgd(learning_rate=0.1) for _ in range(3)]
    without, beside = train(plain), train(plain, hyper_of=[*plain, spec.Sgd(momentum=0.9, weight_decay=0.1)])
    assert all(torch.equal(without[name], beside[name]) for name in SHAPES)
