"""An optimizer and a probe as a user brings them: a class each, which states its facts and does its work."""

from collections.abc import Iterator, Mapping
from typing import Any

from seven_terms.spec import Optimizer, Passes, Probe, Steps, Training, checked
from seven_terms.spec.limits import Fraction, Positive


@checked
class Lion(Optimizer):
    """Chen et al. 2023, algorithm 2, without weight decay."""

    learning_rate: Positive = 1e-3
    beta1: Fraction = 0.9
    beta2: Fraction = 0.99

    def memory(self, hyper: Mapping[str, Any]) -> tuple[str, ...]:
        return ("mean",)

    def update(self, w: Any, g: Any, memory: Mapping[str, Any], c: Any, *, number: Any) -> tuple[Any, dict[str, Any]]:
        m = memory["mean"]
        w = w - c.rate * (c.beta1 * m + (1 - c.beta1) * g).sign()
        return w, {"mean": c.beta2 * m + (1 - c.beta2) * g}


@checked
class ParameterNorm(Probe):
    steps: Steps = Steps(count=2)

    def passes(self, training: Training) -> Iterator[Passes]:
        return iter(())  # it looks at what is there

    def at_step(self, program: Any, step: int) -> Iterator[Any]:
        squares = [value.flatten(1).square().sum(1) for value in program.parameters.values()]
        yield "parameter_norm", sum(squares[1:], squares[0]).sqrt(), None
