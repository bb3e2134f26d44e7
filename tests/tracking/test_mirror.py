"""The log that is written at once holds what wandb itself would have written, and wandb's own reader shows it."""

import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from wandb.proto import wandb_internal_pb2 as records

from seven_terms.tracking import log as wandb_log
from seven_terms.tracking.log import MirroredRun, write_log
from seven_terms.tracking.mirror import AXIS, log_with_wandb

WRITTEN_BY_THE_CLOCK = {"_timestamp", "_runtime", "_wandb"}


def mirrored_run(*, num_steps=3, values=None):
    values = values or {
        "train_loss": 0.25,
        "gradient_norm/3": float("nan"),
        "accuracy": float("inf"),
        "low": -float("inf"),
    }
    return MirroredRun(
        id="abc123-1",
        project="a-project",
        group="lr_decay/step_drop",
        job_type="an_arm",
        name="an_arm/learning_rate=0.1/seed0",
        tags=("lr_decay", "smoke"),
        config={
            "run_key": "abc123",
            "settings": {"learning_rate": 0.1},
            "nothing": None,
            "list": [1, 2.5],
            "word": "ü",
        },
        axis=AXIS,
        history=[{AXIS: 10 * step, **values, "moves": step / 7} for step in range(num_steps)],
        summary={"status": "diverged", "diverged_at_step": 17, "steps": 400},
        duration_seconds=2.5,
    )


def read_log(path):
    """Return the records of a log; asserts the framing and the checksums."""
    data = path.read_bytes()
    assert data[:7] == wandb_log.FILE_HEADER
    position, parts, found = 7, [], []
    while position < len(data):
        room = wandb_log.BLOCK_BYTES - position % wandb_log.BLOCK_BYTES
        if room < 7:
            assert not any(data[position : position + room])
            position += room
            continue
        checksum, length, kind = struct.unpack("<IHB", data[position : position + 7])
        assert length <= room - 7
        assert (kind in (wandb_log.FULL, wandb_log.FIRST)) == (not parts)
        piece = data[position + 7 : position + 7 + length]
        assert zlib.crc32(piece, zlib.crc32(bytes([kind]))) == checksum
        parts.append(piece)
        position += 7 + length
        if kind in (wandb_log.FULL, wandb_log.LAST):
            found.append(records.Record.FromString(b"".join(parts)))
            parts = []
    assert not parts
    return found


def named(items):
    return {".".join(item.nested_key) or item.key: json.loads(item.value_json, parse_constant=str) for item in items}


def content(path):
    """Return what a reader of the log learns, without the clock: run, config, metrics, history and summary."""
    found = read_log(path)
    [run] = [record.run for record in found if record.HasField("run")]
    summary = {}
    for record in found:
        summary |= named(record.summary.update)
    names = ("run_id", "project", "run_group", "job_type", "display_name")
    return {
        "run": {name: getattr(run, name) for name in names} | {"tags": list(run.tags)},
        "config": named(run.config.update),
        "metrics": [record.metric for record in found if record.HasField("metric")],
        "history": [without_clock(named(record.history.item)) for record in found if record.HasField("history")],
        "steps": [record.history.step.num for record in found if record.HasField("history")],
        "summary": without_clock(summary),
        "exit": [record.exit.exit_code for record in found if record.HasField("exit")],
    }


def without_clock(values):
    return {name: value for name, value in values.items() if name.split(".")[0] not in WRITTEN_BY_THE_CLOCK}


def without_source(metrics):
    return [metric for metric in metrics if not metric.ClearField("_info")]


@pytest.mark.parametrize("num_steps", [1, 30])
def test_the_log_holds_what_wandb_itself_writes(tmp_path, monkeypatch, num_steps):
    monkeypatch.setenv("WANDB_SILENT", "true")
    run = mirrored_run(num_steps=num_steps)
    log_with_wandb(run, tmp_path / "theirs", mode="offline")
    [theirs] = (tmp_path / "theirs").rglob("*.wandb")
    ours, theirs = content(write_log(run, tmp_path / "ours")), content(theirs)
    assert without_source(ours.pop("metrics")) == without_source(theirs.pop("metrics"))
    assert ours == theirs
    assert len(ours["history"]) == num_steps


@pytest.mark.parametrize("size", [10, 32_000, 32_741, 32_755, 200_000])
def test_records_of_any_size_are_cut_at_block_ends(tmp_path, size):
    run = mirrored_run(values={"m" * size: 1.0})
    history = [
        named(record.history.item) for record in read_log(write_log(run, tmp_path)) if record.HasField("history")
    ]
    assert [values["m" * size] for values in history] == [1.0, 1.0, 1.0]


def test_wandb_shows_the_metrics_and_config_of_a_log(tmp_path):
    path = write_log(mirrored_run(), tmp_path)
    wandb = Path(sys.executable).with_name("wandb")
    shown = subprocess.run(
        [wandb, "leet", "inspect", "--summary", path], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    for word in ("an_arm/learning_rate=0.1/seed0", "train_loss", "run_key", "abc123", "diverged"):
        assert word in shown
