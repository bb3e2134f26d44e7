"""A pretend accelerator: tensors in host memory that refuse what a GPU refuses; `python -m tests.training.pretend [all]`.

Tensors of two devices in one operation, CPU generators and index tensors, and `.numpy()` are errors. The process trains small
stacks, there and on the processor, and prints a JSON line a kind: those of smoke that together hold every word of its kinds, or
all kinds of all scales. It is a process of its own because PyTorch has one place for a device like this, for good.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from .every_kind import covering, difference, every_kind, recorded

DEVICE = "pretend:0"
BETWEEN_DEVICES = (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)


class Pretend(torch.Tensor):
    """A tensor of the pretend device; `host` holds its numbers."""

    host: Tensor

    @staticmethod
    def __new__(cls, host: Tensor) -> Pretend:
        self = torch.Tensor._make_wrapper_subclass(
            cls,
            host.size(),
            strides=host.stride(),
            storage_offset=host.storage_offset(),
            dtype=host.dtype,
            device=torch.device(DEVICE),
        )
        self.host = host
        return self

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return performed(operation, *args, **(kwargs or {}))


def performed(operation: Any, *args: Any, **kwargs: Any) -> Any:
    """Return what an operation returns on the hosts of its tensors; RuntimeError where a GPU would refuse it."""
    owners: dict[int, Pretend] = {}

    def on_host(value: Any) -> Any:
        if isinstance(value, Pretend):
            owners[id(value.host)] = value
            return value.host
        if isinstance(value, Tensor) and value.dim() and operation not in BETWEEN_DEVICES:
            raise RuntimeError(f"{operation}: all tensors must be on one device, got cpu and {DEVICE}")
        if isinstance(value, torch.Generator):
            raise RuntimeError(f"{operation}: expected a generator of {DEVICE}, got one of cpu")
        return torch.device("cpu") if isinstance(value, torch.device) and value.type == "pretend" else value

    found = operation(*tree_map(on_host, args), **tree_map(on_host, kwargs))
    device = kwargs.get("device")
    leaves_device = device is not None and torch.device(device).type == "cpu"
    if leaves_device or operation is torch.ops.aten._local_scalar_dense.default:
        return found

    def there(value: Any) -> Any:
        if id(value) in owners:  # changed in place
            return owners[id(value)]
        return Pretend(value) if isinstance(value, Tensor) else value

    return tree_map(there, found)


class Constructors(TorchFunctionMode):
    """`torch.tensor(..., device=DEVICE)`, which does not ask a device made in Python."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        device = kwargs.get("device")
        if function is torch.tensor and device is not None and torch.device(device).type == "pretend":
            return function(*args, **(kwargs | {"device": "cpu"})).to(device)
        return function(*args, **kwargs)


def register() -> torch.library.Library:
    """Make the device known; it is there as long as what is returned."""
    _setup_privateuseone_for_python_backend("pretend")
    library = torch.library.Library("_", "IMPL")
    library.fallback(performed, "PrivateUse1")
    return library


def refusals() -> list[str]:
    """Return what the device refuses, of four things that a GPU refuses."""
    here, there = torch.arange(3.0), torch.arange(3.0).to(DEVICE)
    attempts = {
        "two devices": lambda: here + there,
        "index on the processor": lambda: there.index_select(0, torch.tensor([0, 1])),
        "generator of the processor": lambda: there.normal_(generator=torch.Generator()),
        "numpy": lambda: there.numpy(),
    }
    refused = []
    for name, attempt in attempts.items():
        try:
            attempt()
        except (RuntimeError, TypeError):
            refused.append(name)
    return refused


def main(which: str) -> None:
    kept = register()
    print(json.dumps({"refused": refusals()}), flush=True)
    stacks = every_kind("smoke", "laptop", "paper") if which == "all" else covering(every_kind("smoke"))
    for name, stack in stacks.items():
        try:
            wanted = recorded(stack, device="cpu")
        except (FileNotFoundError, ValueError) as error:  # data that are not on this machine
            print(json.dumps({"kind": name, "left_out": str(error)[:200]}), flush=True)
            continue
        with Constructors():
            found = difference(recorded(stack, device=DEVICE), wanted)
        print(json.dumps({"kind": name, "difference": found}), flush=True)
    del kept


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]))
