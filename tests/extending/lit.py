"""A LightningModule and its data as a user of Lightning brings them: no word of this project."""

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset, random_split


class Blobs(pl.LightningDataModule):
    """Two clouds of points."""

    def __init__(self, batch_size: int = 16, num_examples: int = 160) -> None:
        super().__init__()
        self.batch_size, self.num_examples = batch_size, num_examples

    def setup(self, stage: str) -> None:
        generator = torch.Generator().manual_seed(0)
        labels = torch.arange(self.num_examples) % 2
        points = torch.randn(self.num_examples, 4, generator=generator) + 2.0 * labels[:, None]
        parts = random_split(TensorDataset(points, labels), [0.5, 0.25, 0.25], generator)
        self.train, self.validation, self.test = parts

    def train_dataloader(self) -> DataLoader:
        return DataLoader(self.train, batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self) -> DataLoader:
        return DataLoader(self.validation, batch_size=64)

    def test_dataloader(self) -> DataLoader:
        return DataLoader(self.test, batch_size=64)


class Classifier(pl.LightningModule):
    def __init__(self, width: int = 8, lr: float = 0.1, dropout: float = 0.1) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.layers = nn.Sequential(
            nn.Linear(4, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, 2)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        x, y = batch
        loss = cross_entropy(self(x), y)
        self.log("train_loss", loss, on_step=True, on_epoch=True)
        return loss

    def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
        x, y = batch
        logits = self(x)
        self.log_dict({"val_loss": cross_entropy(logits, y), "val_acc": (logits.argmax(1) == y).float().mean()})

    def test_step(self, batch: list[Tensor], batch_idx: int) -> None:
        x, y = batch
        self.log("test_loss", cross_entropy(self(x), y))

    def configure_optimizers(self) -> dict:
        optimizer = torch.optim.SGD(self.parameters(), lr=self.hparams["lr"], momentum=0.9)
        return {"optimizer": optimizer, "lr_scheduler": torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 4)}


class Halting(pl.Callback):
    """Fails once, as a machine does, after some epochs."""

    def __init__(self, flag: str, after: int) -> None:
        self.flag, self.after = flag, after

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        import pathlib

        flag = pathlib.Path(self.flag)
        if trainer.current_epoch == self.after and not flag.exists():
            flag.touch()
            raise RuntimeError("the power went out")
