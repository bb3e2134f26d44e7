"""A LightningModule and its data as anybody writes them: nothing here knows of this project."""

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset, random_split


class Moons(pl.LightningDataModule):
    """Two half circles that embrace each other, with noise."""

    def __init__(self, batch_size: int = 16, noise: float = 0.2) -> None:
        super().__init__()
        self.batch_size, self.noise = batch_size, noise

    def setup(self, stage: str) -> None:
        random = torch.Generator().manual_seed(0)
        angle, labels = torch.pi * torch.rand(400, generator=random), torch.arange(400) % 2
        upper = torch.stack([angle.cos(), angle.sin()], 1)
        lower = torch.stack([1 - angle.cos(), 0.5 - angle.sin()], 1)
        points = torch.where(labels[:, None] == 0, upper, lower) + self.noise * torch.randn(400, 2, generator=random)
        self.train, self.validation, self.test = random_split(TensorDataset(points, labels), [200, 100, 100], random)

    def train_dataloader(self) -> DataLoader:
        return DataLoader(self.train, batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self) -> DataLoader:
        return DataLoader(self.validation, batch_size=100)

    def test_dataloader(self) -> DataLoader:
        return DataLoader(self.test, batch_size=100)


class Classifier(pl.LightningModule):
    def __init__(self, width: int = 16, learning_rate: float = 1.0) -> None:
        super().__init__()
        self.learning_rate = learning_rate
        self.layers = nn.Sequential(
            nn.Linear(2, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 2)
        )

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        x, y = batch
        loss = cross_entropy(self.layers(x), y)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
        x, y = batch
        self.log("val_loss", cross_entropy(self.layers(x), y))

    def test_step(self, batch: list[Tensor], batch_idx: int) -> None:
        x, y = batch
        self.log("test_loss", cross_entropy(self.layers(x), y))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=self.learning_rate)
