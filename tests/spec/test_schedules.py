import math
import warnings
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler as torch_schedules

from seven_terms import spec
from seven_terms.spec import (
    Constant,
    Cosine,
    CosineRestarts,
    Digits,
    Exponential,
    InverseSqrt,
    InverseTime,
    Linear,
    Mlp,
    OneCycle,
    Ramp,
    Schedule,
    Step,
    Training,
    Truncated,
    Warmup,
    WarmupStableDecay,
)

PEAK = 0.3
Oracle = Callable[[torch.optim.Optimizer], torch_schedules.LRScheduler]
STEPS = st.integers(1, 3000)
seeded = settings(derandomize=True, deadline=None)


def lambda_rule(rule: Callable[[int], float]) -> Oracle:
    return lambda optimizer: torch_schedules.LambdaLR(optimizer, rule)


def in_sequence(*parts: Oracle, at: list[int]) -> Oracle:
    return lambda optimizer: torch_schedules.SequentialLR(optimizer, [part(optimizer) for part in parts], at)


def rising(length: int) -> Oracle:
    """From 1 / length to 1 in `length` steps."""
    return lambda optimizer: torch_schedules.LinearLR(optimizer, 1 / length, 1.0, total_iters=length - 1)


def cosine(length: int, final: float = 0.0) -> Oracle:
    return lambda optimizer: torch_schedules.CosineAnnealingLR(optimizer, length, eta_min=final * PEAK)


def falling(length: int, final: float = 0.0) -> Oracle:
    return lambda optimizer: torch_schedules.LinearLR(optimizer, 1.0, final, total_iters=length)


def stepping(milestones: list[int]) -> Oracle:
    return lambda optimizer: torch_schedules.MultiStepLR(optimizer, milestones, gamma=0.1)


def constant(level: float, length: int) -> Oracle:
    return lambda optimizer: torch_schedules.ConstantLR(optimizer, level, total_iters=length)


def one_cycle(cycle: OneCycle, num_steps: int) -> Oracle:
    return lambda optimizer: torch_schedules.OneCycleLR(
        optimizer,
        PEAK,
        total_steps=num_steps,
        pct_start=cycle.warmup,
        anneal_strategy="cos" if cycle.shape == "cosine" else "linear",
        cycle_momentum=False,
        div_factor=1 / cycle.start,
        final_div_factor=1 / cycle.final,
    )


CASES: list[tuple[Schedule, int, Oracle]] = [
    (Constant(), 50, constant(1.0, 0)),
    (Step(), 60, stepping([30, 45])),
    (Step(fractions=(0.5, 0.75)), 61, stepping([30, 46])),
    (Exponential(final=1e-3), 60, lambda o: torch_schedules.ExponentialLR(o, 1e-3 ** (1 / 60))),
    (Cosine(), 60, cosine(60)),
    (Cosine(final=0.1), 60, cosine(60, 0.1)),
    (Linear(), 60, falling(60)),
    (Linear(final=0.2), 60, falling(60, 0.2)),
    (OneCycle(), 60, one_cycle(OneCycle(), 60)),
    (OneCycle(warmup=0.25, start=0.1, final=1e-2), 37, one_cycle(OneCycle(warmup=0.25, start=0.1, final=1e-2), 37)),
    (OneCycle(shape="linear", warmup=0.45), 60, one_cycle(OneCycle(shape="linear", warmup=0.45), 60)),
    (OneCycle(warmup=0.99), 60, one_cycle(OneCycle(warmup=0.99), 60)),
    (Warmup(fraction=0.2), 50, in_sequence(rising(10), cosine(40), at=[10])),
    (Warmup(fraction=0.2, then=Linear()), 50, in_sequence(rising(10), falling(40), at=[10])),
    (Warmup(fraction=0.2, then=Step()), 50, in_sequence(rising(10), stepping([20, 30]), at=[10])),
    (Warmup(fraction=0.1, kind="constant", level=0.3), 50, in_sequence(constant(0.3, 5), cosine(45), at=[5])),
    (WarmupStableDecay(), 50, in_sequence(constant(1.0, 0), falling(10), at=[40])),
    (
        WarmupStableDecay(warmup=0.1),
        50,
        in_sequence(rising(5), constant(1.0, 0), falling(10), at=[5, 40]),
    ),
    (
        WarmupStableDecay(shape="one_minus_sqrt"),
        50,
        lambda_rule(lambda step: 1.0 if step < 40 else 1 - math.sqrt((step - 40) / 10)),  # Hagele et al. 2024, eq. 3
    ),
    (InverseSqrt(), 60, lambda_rule(lambda step: (1 + step) ** -0.5)),
    (InverseSqrt(offset=20.0), 60, lambda_rule(lambda step: math.sqrt(20 / (20 + step)))),
    (InverseTime(rate=10.0), 60, lambda_rule(lambda step: 60 / (60 + 10 * step))),
    (InverseTime(rate=0.5, per_step=True), 60, lambda_rule(lambda step: 2 / (2 + step))),
    (CosineRestarts(), 70, lambda o: torch_schedules.CosineAnnealingWarmRestarts(o, 10, T_mult=2)),
    (CosineRestarts(), 49, lambda o: torch_schedules.CosineAnnealingWarmRestarts(o, 7, T_mult=2)),
    (
        CosineRestarts(num_cycles=4, multiplier=1.0),
        60,
        lambda o: torch_schedules.CosineAnnealingWarmRestarts(o, 15),
    ),
    (Ramp(start=1e-4), 60, lambda o: torch_schedules.ExponentialLR(o, 1e4 ** (1 / 59))),
    (Ramp(start=0.1, shape="linear"), 60, lambda o: torch_schedules.LinearLR(o, 0.1, 1.0, total_iters=59)),
    (Truncated(planned=2.0), 60, cosine(120)),
    (Truncated(planned=1.5, of=Linear()), 60, falling(90)),
    (Truncated(planned=2.0, of=Step()), 60, stepping([60, 90])),
]
ANY = st.sampled_from([case[0] for case in CASES])
TO_ZERO = (Cosine(), Linear(), Warmup(), Warmup(then=Linear()), WarmupStableDecay(), CosineRestarts())


def rates_of_torch(oracle: Oracle, num_steps: int, *, start: float = PEAK) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=start)
    rates = []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The epoch parameter in")  # torch's own, inside SequentialLR
        scheduler = oracle(optimizer)
        for _ in range(num_steps):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if len(rates) < num_steps:
                scheduler.step()
    return rates


@pytest.mark.parametrize(
    ("schedule", "num_steps", "oracle"), CASES, ids=lambda value: getattr(value, "__doc__", "") and repr(value)
)
def test_each_schedule_equals_torch(schedule: Schedule, num_steps: int, oracle: Oracle) -> None:
    start = PEAK * schedule.start if isinstance(schedule, Ramp) and schedule.shape == "geometric" else PEAK
    theirs = rates_of_torch(oracle, num_steps, start=start)
    ours = [PEAK * schedule.factor(step, num_steps) for step in range(num_steps)]
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-15)


def test_every_schedule_has_a_case() -> None:
    assert {type(case[0]) for case in CASES} == {
        one for one in vars(spec).values() if isinstance(one, type) and issubclass(one, Schedule)
    } - {Schedule}


@seeded
@given(schedule=ANY, num_steps=STEPS, data=st.data())
def test_factors_lie_between_zero_and_one(schedule: Schedule, num_steps: int, data: st.DataObject) -> None:
    step = data.draw(st.integers(0, num_steps))
    assert 0.0 <= schedule.factor(step, num_steps) <= 1.0 + 1e-12


@seeded
@given(schedule=st.sampled_from(TO_ZERO), num_steps=STEPS, data=st.data())
def test_zero_is_reached_at_the_end_and_not_before(schedule: Schedule, num_steps: int, data: st.DataObject) -> None:
    assert schedule.factor(num_steps, num_steps) == pytest.approx(0.0, abs=1e-12)
    assert schedule.factor(data.draw(st.integers(0, num_steps - 1)), num_steps) > 0.0


@seeded
@given(
    num_steps=STEPS,
    warmup=st.floats(0.0, 0.5, allow_subnormal=False),
    cooldown=st.floats(0.0, 0.5, allow_subnormal=False),
    data=st.data(),
)
def test_warmup_stable_decay_is_flat_in_the_middle(
    num_steps: int, warmup: float, cooldown: float, data: st.DataObject
) -> None:
    first, last = round(warmup * num_steps), math.floor((1.0 - cooldown) * num_steps - 1e-6)
    step = data.draw(st.integers(first, max(first, last)))
    if step <= last:
        assert WarmupStableDecay(warmup=warmup, cooldown=cooldown).factor(step, num_steps) == 1.0


@seeded
@given(
    schedule=st.sampled_from([Cosine(), Linear(), Exponential(), Step(), InverseSqrt(), InverseTime()]), num_steps=STEPS
)
def test_decaying_schedules_never_rise(schedule: Schedule, num_steps: int) -> None:
    factors = [schedule.factor(step, num_steps) for step in range(0, num_steps + 1, max(num_steps // 40, 1))]
    assert all(a >= b for a, b in zip(factors, factors[1:], strict=False))


@seeded
@given(num_cycles=st.integers(1, 5), multiplier=st.sampled_from([1, 2, 3]), first=st.integers(1, 50))
def test_each_restart_starts_at_the_peak(num_cycles: int, multiplier: int, first: int) -> None:
    lengths = [first * multiplier**cycle for cycle in range(num_cycles)]
    schedule = CosineRestarts(num_cycles=num_cycles, multiplier=multiplier)
    for cycle in range(num_cycles):
        assert schedule.factor(sum(lengths[:cycle]), sum(lengths)) == 1.0


@seeded
@given(
    schedule=st.sampled_from([Cosine(), Linear(), Exponential()]),
    num_steps=STEPS,
    times=st.integers(2, 8),
    data=st.data(),
)
def test_schedules_stretch_with_the_budget(schedule: Schedule, num_steps: int, times: int, data: st.DataObject) -> None:
    step = data.draw(st.integers(0, num_steps))
    stretched = schedule.factor(times * step, times * num_steps)
    assert stretched == pytest.approx(schedule.factor(step, num_steps), rel=1e-9, abs=1e-15)


def test_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="Training: schedule must be of kind Schedule, such as Constant, Step"):
        Training(task=Digits(), model=Mlp(), num_steps=1, schedule="cosine")  # type: ignore[arg-type]
