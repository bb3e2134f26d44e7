"""Native updates: our own kernels for small networks and for points, compiled once on the machine that trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from ....optimizers import Tensors
from ....planning.cost import flops_per_run_step
from ....spec import Point, require
from ....tasks.data import Normals
from ..protocol import StackParts
from .curvature import Curvatures, has_curvature
from .drawing import normals
from .points import Points
from .updates import Networks

OPERATIONS_OF_A_STEP = 1e12  # ten seconds: a state is saved between steps
MOST_TOLD = 1 << 16  # updates of points, of all runs, in a call: what it tells of them takes two megabytes
MOST_MOVED = 10**9  # numbers: some seconds


class Native:
    """The kernels at work on the tensors of a stack, which change in place."""

    is_compiled: ClassVar[bool] = False
    tells_update_norms: ClassVar[bool] = True
    normals: ClassVar[Normals | None] = staticmethod(normals)
    updates_per_call: int = 200
    updates_per_step: int = 200

    def __init__(self, parts: StackParts) -> None:
        require(
            parts.device.type == "cpu",
            what="training",
            must="a stack that was planned for the CPU kernels must train on the processor",
            got=parts.device.type,
            do="plan for GPUs with `--compiling torch`, in the workflow `--config compiling=torch`",
        )
        if isinstance(parts.training.model, Point):  # an update may take less time than the call
            at_once = min(MOST_TOLD // parts.num_runs, MOST_MOVED // (parts.num_runs * parts.training.model.dimension))
            self.updates_per_call = self.updates_per_step = max(at_once, self.updates_per_call)
        of_all = flops_per_run_step(parts.training) * parts.num_runs
        self.updates_per_step = max(min(self.updates_per_step, int(OPERATIONS_OF_A_STEP / max(of_all, 1))), 1)
        self.kernels = (Points if isinstance(parts.training.model, Point) else Networks)(parts)

    def advance(self, first: int, stop: int) -> Tensors:
        """Make updates first ... stop - 1; return batch_loss, norms of gradients and of updates, each [U, R]."""
        assert 0 <= first < stop <= len(self.kernels.parts.batches.updates), (first, stop)  # kernels would read on
        return self.kernels.advance(first, stop)

    def outputs(self, parameters: Tensors, inputs: Tensor, *, shared: bool) -> Tensor:
        return self.kernels.outputs(parameters, inputs, shared=shared)

    def metrics(self, parameters: Tensors, examples: tuple[Tensor, ...]) -> Tensors:
        return self.kernels.metrics(parameters, examples)

    def curvatures(self) -> Curvatures | None:
        return Curvatures(self.kernels.parts) if has_curvature(self.kernels.parts.training) else None

    def provenance(self) -> Mapping[str, str]:
        return {"kernels": self.kernels.library.seven_terms_compiler().decode()}
