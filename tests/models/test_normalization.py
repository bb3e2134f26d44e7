import pytest
import torch
from torch import Tensor, nn

from seven_terms import spec
from seven_terms.models import BatchNorm, GroupNorm
from seven_terms.models.normalization import build_normalization

SHAPES = {"vector": (24, 6), "image": (8, 6, 5, 5)}


def inputs(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    return 3.0 * torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + 2.0


def ours(**fields: object) -> BatchNorm:
    return BatchNorm(6, spec.BatchNorm(**fields)).double()  # type: ignore[arg-type]


def randomize(*modules: nn.Module) -> None:
    """Give the modules the same random gains and shifts."""
    weight, bias = inputs((6,), 7), inputs((6,), 8)
    for module in modules:
        module.load_state_dict({"weight": weight, "bias": bias}, strict=False)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize(("eps", "momentum"), [(1e-5, 0.1), (1e-2, 0.7)])
def test_batch_norm_equals_torch_in_training_and_evaluation(
    shape: tuple[int, ...], eps: float, momentum: float
) -> None:
    kind = nn.BatchNorm1d if len(shape) == 2 else nn.BatchNorm2d
    module, oracle = ours(eps=eps, momentum=momentum), kind(6, eps=eps, momentum=momentum).double()
    randomize(module, oracle)
    for seed in range(3):
        x, y = inputs(shape, seed).requires_grad_(), inputs(shape, seed).requires_grad_()
        torch.testing.assert_close(module(x), oracle(y), rtol=1e-10, atol=1e-12)
        module(x).pow(3).sum().backward()
        oracle(y).pow(3).sum().backward()
        torch.testing.assert_close(x.grad, y.grad, rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(module.running_mean, oracle.running_mean, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(module.running_var, oracle.running_var, rtol=1e-10, atol=1e-12)
    x = inputs(shape, 9)
    torch.testing.assert_close(module.eval()(x), oracle.eval()(x), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("num_groups", [1, 2, 3])
def test_group_norm_equals_torch(shape: tuple[int, ...], num_groups: int) -> None:
    module, oracle = GroupNorm(6, num_groups=num_groups, eps=1e-5).double(), nn.GroupNorm(num_groups, 6).double()
    randomize(module, oracle)
    x = inputs(shape)
    torch.testing.assert_close(module(x), oracle(x), rtol=1e-10, atol=1e-12)


def test_layer_norm_equals_torch_on_vectors() -> None:
    module, oracle = build_normalization(spec.LayerNorm(), 6).double(), nn.LayerNorm(6).double()
    randomize(module, oracle)
    x = inputs((24, 6))
    torch.testing.assert_close(module(x), oracle(x), rtol=1e-10, atol=1e-12)


def test_centering_alone_and_scaling_alone() -> None:
    x = inputs((24, 6))
    torch.testing.assert_close(ours(scale=False)(x), x - x.mean(0))
    torch.testing.assert_close(ours(center=False, eps=0.0)(x), x / x.square().mean(0).sqrt())


@pytest.mark.parametrize("fields", [{"scale": False}, {"center": False}], ids=str)
def test_with_momentum_one_evaluation_repeats_the_last_training_batch(fields: dict[str, bool]) -> None:
    module, x = ours(momentum=1.0, **fields), inputs((24, 6))
    trained = module(x)
    # exact here: the mean square takes no m / (m - 1), and the variance plays no part without scaling
    torch.testing.assert_close(module.eval()(x), trained)


def test_without_affine_there_are_no_parameters() -> None:
    assert list(ours(affine=False).parameters()) == []


def test_ghost_batches_are_normalized_on_their_own() -> None:
    x = inputs((24, 6))
    together = ours(ghost=8)(x)
    apart = torch.cat([ours()(part) for part in x.split(8)])
    torch.testing.assert_close(together, apart, rtol=1e-12, atol=1e-12)


def test_ghost_batches_give_running_statistics_their_average() -> None:
    x, module = inputs((24, 6)), ours(ghost=8, momentum=1.0)
    module(x)
    parts = x.split(8)
    torch.testing.assert_close(module.running_var, torch.stack([part.var(0) for part in parts]).mean(0))
    torch.testing.assert_close(module.running_mean, x.mean(0))


def test_a_whole_batch_of_several_devices_is_normalized_by_shares_or_together() -> None:
    x, each, common = inputs((24, 6)), ours(), ours(synchronized=True)
    each.num_devices = common.num_devices = 3
    torch.testing.assert_close(each(x), ours(ghost=8)(x), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(common(x), ours()(x), rtol=1e-12, atol=1e-12)


def test_a_batch_that_devices_cannot_share_is_refused() -> None:
    module = ours()
    module.num_devices = 7
    with pytest.raises(ValueError, match=r"^BatchNorm: batch size must be a multiple of num_devices=7, got 24\.$"):
        module(inputs((24, 6)))


def test_ghost_batches_cannot_be_synchronized() -> None:
    with pytest.raises(
        ValueError, match=r"^BatchNorm: ghost must be None where .* synchronized over devices, got 2\.$"
    ):
        spec.BatchNorm(ghost=2, synchronized=True)


def test_a_batch_that_ghosts_do_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^BatchNorm: batch size must be a multiple of ghost=7, got 24\.$"):
        ours(ghost=7)(inputs((24, 6)))


def test_a_single_example_is_refused_in_training_and_accepted_in_evaluation() -> None:
    with pytest.raises(ValueError, match="more than one value per feature"):
        ours()(inputs((1, 6)))
    assert ours().eval()(inputs((1, 6))).shape == (1, 6)


def test_noise_shifts_and_stretches_units_within_its_bounds_in_training_only() -> None:
    module, x = ours(noisy=True), inputs((4000, 6))
    module.noise.copy_(inputs((2, 6), 3) - 2.0)
    y = module(x)
    shift, gain = torch.special.ndtr(module.noise)
    torch.testing.assert_close(y.mean(0), shift - 0.5, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(y.std(0), 1.0 + 0.25 * gain, rtol=1e-3, atol=0.0)
    assert not torch.allclose(y, ours()(x))
    quiet = ours().eval()
    quiet.load_state_dict({name: value for name, value in module.state_dict().items() if name != "noise"})
    assert torch.equal(module.eval()(x), quiet(x))


def test_groups_that_do_not_divide_the_features_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^GroupNorm: features must be a multiple of num_groups=4, got 6\.$"):
        build_normalization(spec.GroupNorm(num_groups=4), 6)
