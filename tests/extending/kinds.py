"""A task, a model, a normalization, a schedule, an estimate, a rule and a figure kind as a user brings them: a class each.

What needs torch, numpy or matplotlib is imported inside the functions, so that planning stays light.
"""

from typing import Any

from seven_terms.spec import (
    Bars,
    Content,
    Estimate,
    Measure,
    Metric,
    Model,
    ModelFacts,
    Normalization,
    Rule,
    Schedule,
    Selected,
    Task,
    checked,
)
from seven_terms.spec.limits import Positive


@checked
class Parity(Task):
    """Is the number of ones among `num_bits` fair bits odd?"""

    num_bits: int = 4

    supply = "endless"
    metrics = (Metric(name="loss", direction="min", unit="nats"), Metric(name="accuracy", direction="max"))

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (self.num_bits,)

    @property
    def num_outputs(self) -> int:
        return 2

    def examples(self, split: str) -> int:
        return 64

    def build(self, *, dtype: Any, device: Any) -> Any:
        import torch

        from seven_terms.spec import SPLITS
        from seven_terms.tasks.data import FreshExamples, TaskData, generator
        from seven_terms.tasks.losses import classification_metrics, cross_entropy

        def draw(random: Any, num: int) -> tuple[Any, ...]:
            bits = torch.randint(2, (num, self.num_bits), generator=random)
            return (2 * bits - 1).to(dtype), bits.sum(1) % 2

        def evaluation(split: Any, seeds: Any) -> tuple[Any, ...]:
            drawn = [draw(generator(seed, "evaluation", SPLITS.index(split)), self.examples(split)) for seed in seeds]
            return tuple(torch.stack(tensors).to(device) for tensors in zip(*drawn, strict=True))

        stream = FreshExamples(draw, values_per_example=self.num_bits, device=device)
        return TaskData(
            input_shape=self.input_shape,
            num_outputs=2,
            num_examples=None,
            batches=stream.take,
            evaluation=evaluation,
            loss=cross_entropy,
            metrics=lambda *batch: {k: v for k, v in classification_metrics(*batch).items() if k != "error"},
        )


@checked
class Scale(Normalization):
    """Divides each example by its root mean square."""

    def num_parameters(self, features: int) -> int:
        return 0

    def build(self, features: int) -> Any:
        from torch import nn

        return nn.RMSNorm(features, elementwise_affine=False)


@checked
class Linear2(Model):
    """Two linear layers; it states its facts, so that nothing is built to count them."""

    width: int = 8

    def facts(self, input_shape: tuple[int, ...], num_outputs: int) -> ModelFacts:
        products = (input_shape[0] + 1) * self.width + (self.width + 1) * num_outputs
        return ModelFacts(
            num_parameters=products, multiply_adds=products, values_saved=3 * self.width, num_layers=2, speed="dense",
            values_alive=3 * self.width,
        )  # fmt: skip

    def build(self, *, input_shape: tuple[int, ...], num_outputs: int) -> Any:
        from torch import nn

        return nn.Sequential(nn.Linear(input_shape[0], self.width), nn.Linear(self.width, num_outputs))


@checked
class Staircase(Schedule):
    """Falls by the same factor in `num_stairs` equal stairs."""

    num_stairs: int = 4
    factor_each: Positive = 0.5

    def factor(self, step: int, num_steps: float) -> float:
        return self.factor_each ** int(step / num_steps * self.num_stairs)


@checked
class Largest(Estimate):
    """The median over seeds of the largest value among a seed's runs."""

    measure: Measure
    runs: Selected

    compute = "tests.extending.kinds:largest"

    def in_words(self, say: Any) -> str:
        return f"largest {say.measure(self.measure)} of a seed, {say.runs(self.runs)}; median over seeds, sign test"


def largest(kind: Largest, results: Any) -> Any:
    import numpy as np

    from seven_terms.statistics.samples import sample_of
    from seven_terms.statistics.selection import evaluate, select

    chosen = select(kind.runs, results)
    values = evaluate(kind.measure, results).iloc[chosen.positions]
    per = values.groupby([results.runs[i].seed for i in chosen.positions]).max()
    return sample_of("median", value=np.asarray(per)), [chosen], []


@checked(kw_only=False)
class Near(Rule):
    """Within a margin of a target."""

    target: float
    margin: Positive

    @property
    def limits(self) -> tuple[float, float]:
        return self.target - self.margin, self.target + self.margin


@checked
class Dots(Content):
    """Every seed's value as a dot, and nothing else: the numbers are those of bars."""

    measure: Measure
    runs: dict[str, Selected]

    rows = Bars.rows
    drawing = "tests.extending.kinds:draw_dots"
    legend = False
    caption = "One dot a seed."


def draw_dots(axes: Any, panel: Any, rows: Any, *, look: Any) -> list[str]:
    for place, label in enumerate(panel.content.runs):
        seeds = rows[(rows["series"] == label) & rows["y"].notna()]
        axes.plot([place] * len(seeds), seeds["value"], look.styles[label].marker, color=look.styles[label].colour)
    return []
