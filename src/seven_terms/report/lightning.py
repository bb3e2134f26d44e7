"""What the report says of a LightningModule: its class, its data and Lightning's Trainer, as the arm names them."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from ..spec import Instance, LightningTraining


def lightning_aspects(training: LightningTraining, swept: Set[str]) -> dict[str, str]:
    """Return aspect -> words; what the module itself decides, such as its optimizer, only its code can say."""
    updates = training.trainer.get("max_steps") or f"{training.trainer['max_epochs']} epochs, {training.num_steps:,}"
    fixed = {name: value for name, value in training.trainer.items() if name not in ("max_steps", "max_epochs")}
    return {
        "data": data_in_words(training, swept),
        "model": _made(training.module, swept, "module.arguments"),
        "optimizer": f"as {training.module.name} has it",
        "updates": f"{updates if isinstance(updates, str) else format(updates, ',')} updates",
        "trainer": " ".join(["Lightning's", _listed(fixed, swept, "trainer")]).strip(),
    }


def data_in_words(training: LightningTraining, swept: Set[str] = frozenset()) -> str:
    """Return where the data come from."""
    if training.datamodule is None:
        return f"as {training.module.name} has them"
    return _made(training.datamodule, swept, "datamodule.arguments")


def _made(instance: Instance, swept: Set[str], path: str) -> str:
    listed = _listed(instance.arguments, swept, path)
    return f"{instance.name} {listed}".strip()


def _listed(arguments: Mapping[str, Any], swept: Set[str], path: str) -> str:
    shown = [
        f"{name.replace('_', ' ')} {_value(value)}"
        for name, value in arguments.items()
        if f"{path}.{name}" not in swept
    ]
    return f"({', '.join(shown)})" if shown else ""


def _value(value: Any) -> str:
    if isinstance(value, Instance):
        return _made(value, frozenset(), "")
    if isinstance(value, (tuple, list)):
        return ", ".join(map(_value, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
