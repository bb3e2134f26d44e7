import math

import pytest
import torch
from torch import Tensor

from seven_terms.optimizers import clip, gradient_norm

SHAPES = {
    "layers.0.linear.weight": (5, 3),
    "layers.0.linear.bias": (5,),
    "readout.weight": (2, 5),
    "kernel": (4, 3, 3, 3),
}
Tensors = dict[str, Tensor]


def draw(num_runs: int, *, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensors:
    """Return runs of growing size."""
    generator = torch.Generator().manual_seed(seed)
    size = torch.logspace(-1.0, 1.0, num_runs, dtype=dtype)
    return {
        name: torch.randn(num_runs, *shape, generator=generator, dtype=dtype) * size.reshape(-1, *[1] * len(shape))
        for name, shape in SHAPES.items()
    }


def per_run(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def leaves(grads: Tensors, run: int) -> list[Tensor]:
    """Return parameters of one run for torch's in-place functions."""
    parameters = [torch.zeros_like(g[run]) for g in grads.values()]
    for parameter, g in zip(parameters, grads.values(), strict=True):
        parameter.grad = g[run].clone()
    return parameters


def test_clipping_by_norm_equals_torch_with_each_runs_own_threshold() -> None:
    grads, thresholds = draw(4), (0.5, 1.0, 1e6, 2.0)
    clipped, before_R, after_R = clip(per_run(*thresholds), None, None, {}, grads)
    for run, threshold in enumerate(thresholds):
        parameters = leaves(grads, run)
        norm = torch.nn.utils.clip_grad_norm_(parameters, threshold)
        torch.testing.assert_close(before_R[run], norm, rtol=1e-12, atol=0)
        for name, parameter in zip(grads, parameters, strict=True):
            torch.testing.assert_close(clipped[name][run], parameter.grad, rtol=1e-12, atol=0)
    torch.testing.assert_close(after_R, gradient_norm(clipped), rtol=1e-12, atol=0)


def test_clipping_by_value_equals_torch_with_each_runs_own_threshold() -> None:
    grads, thresholds = draw(4), (0.01, 0.5, 1e6, 2.0)
    clipped, _, after_R = clip(None, per_run(*thresholds), None, {}, grads)
    for run, threshold in enumerate(thresholds):
        parameters = leaves(grads, run)
        torch.nn.utils.clip_grad_value_(parameters, threshold)
        for name, parameter in zip(grads, parameters, strict=True):
            assert torch.equal(clipped[name][run], parameter.grad)
    torch.testing.assert_close(after_R, gradient_norm(clipped), rtol=1e-12, atol=0)


def adaptively_clipped(w: Tensor, g: Tensor, ratio: float) -> Tensor:
    """Brock et al. 2021, equation 3, one unit after the other; w and g are one run's."""
    units = [(w, g)] if w.dim() == 1 else list(zip(w, g, strict=True))
    results = []
    for w_i, g_i in units:
        bound = ratio * max(float(w_i.norm()), 1e-3)
        results.append(g_i * bound / g_i.norm() if float(g_i.norm()) > bound else g_i)
    return results[0] if w.dim() == 1 else torch.stack(results)


def test_adaptive_clipping_follows_its_equation_and_spares_the_readout() -> None:
    params, grads, ratios = draw(3, seed=1), draw(3), (0.01, 0.5, 1e6)
    params["layers.0.linear.bias"].zero_()
    clipped, _, _ = clip(None, None, per_run(*ratios), params, grads)
    for run, ratio in enumerate(ratios):
        for name in ("layers.0.linear.weight", "layers.0.linear.bias", "kernel"):
            expected = adaptively_clipped(params[name][run], grads[name][run], ratio)
            torch.testing.assert_close(clipped[name][run], expected, rtol=1e-12, atol=0)
    assert torch.equal(clipped["readout.weight"], grads["readout.weight"])


def test_the_order_is_adaptive_then_value_then_norm() -> None:
    params, grads = draw(2, seed=1), draw(2)
    ratio, value, norm = per_run(0.1, 0.2), per_run(0.05, 0.1), per_run(0.1, 0.2)
    together, before_R, _ = clip(norm, value, ratio, params, grads)
    apart, first_R, _ = clip(None, None, ratio, params, grads)
    apart, _, _ = clip(None, value, None, params, apart)
    apart, _, _ = clip(norm, None, None, params, apart)
    assert all(torch.equal(together[name], apart[name]) for name in SHAPES)
    assert torch.equal(before_R, first_R)


@pytest.mark.parametrize("scale", [1.0, 1e30])
def test_infinite_thresholds_leave_gradients_bit_for_bit(scale: float) -> None:
    grads = {name: scale * g for name, g in draw(2, dtype=torch.float32).items()}
    off = per_run(math.inf, math.inf)
    clipped, before_R, after_R = clip(off, off, off, draw(2, dtype=torch.float32), grads)
    assert all(torch.equal(clipped[name], grads[name]) for name in SHAPES)
    assert torch.equal(before_R, after_R)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_run_without_finite_gradients_touches_no_neighbour(bad: float) -> None:
    grads, params, thresholds = draw(3), draw(3, seed=1), per_run(0.5, 0.5, 0.5)
    broken = {name: g.clone() for name, g in grads.items()}
    for g in broken.values():
        g[1] = bad
    good, good_before_R, _ = clip(thresholds, thresholds, thresholds, params, grads)
    mixed, mixed_before_R, _ = clip(thresholds, thresholds, thresholds, params, broken)
    assert all(torch.equal(good[name][[0, 2]], mixed[name][[0, 2]]) for name in SHAPES)
    assert torch.equal(good_before_R[[0, 2]], mixed_before_R[[0, 2]])
    assert not torch.isfinite(mixed_before_R[1])


def test_a_zero_gradient_stays_zero() -> None:
    grads = {name: torch.zeros_like(g) for name, g in draw(2).items()}
    threshold = per_run(1.0, 1.0)
    clipped, before_R, after_R = clip(threshold, threshold, threshold, draw(2), grads)
    assert not any(g.any() for g in clipped.values())
    assert not before_R.any()
    assert not after_R.any()
