"""A finished run as W&B's offline transaction log, the file that `wandb sync` sends and `wandb leet` shows.

`wandb.init` ... `finish` talks with a local service, about 20 ms of processor time a run: more than many of the stacked runs
train. The log it would write is a list of protobuf records in LevelDB's log format, so it is written here at once, in
1 ms. tests/training/test_wandb_mirror.py compares both, record for record, with the pinned wandb.

Source of the framing: LevelDB's doc/log_format.md; W&B adds a header of 7 bytes and counts blocks from the file's start.
"""

from __future__ import annotations

import json
import os
import struct
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import wandb
from wandb.proto import wandb_internal_pb2 as records

BLOCK_BYTES = 32768
FRAME = struct.Struct("<IHB")  # checksum, length, kind
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
FILE_HEADER = struct.pack("<4sHB", b":W&B", 0xBEE1, 0)
OLDEST_READER = "0.70.0"  # what wandb itself writes: the oldest wandb that may read the log


@dataclass(frozen=True, kw_only=True, slots=True)
class MirroredRun:
    """All that W&B is told of one run. `history` holds (values by metric) in the order of steps."""

    id: str
    project: str
    group: str
    job_type: str
    name: str
    tags: tuple[str, ...]
    config: Mapping[str, Any]
    axis: str
    history: Sequence[Mapping[str, float]]
    summary: Mapping[str, Any]
    duration_seconds: float


def write_log(run: MirroredRun, folder: Path) -> Path:
    """Write a run into a new folder below `folder` and return the log's path."""
    now = time.time()
    started = time.strftime("%Y%m%d_%H%M%S", time.localtime(now))
    path = folder / f"offline-run-{started}-{run.id}" / f"run-{run.id}.wandb"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.write(FILE_HEADER)
        for number, record in enumerate(_records(run, now), start=1):
            record.num = number
            _append(file, record.SerializeToString())
    return path


def _records(run: MirroredRun, now: float) -> Iterable[records.Record]:
    version = {"producer": wandb.__version__, "min_consumer": OLDEST_READER}
    yield records.Record(header={"version_info": version})
    yield _run_record(run, now)
    yield records.Record(metric={"name": run.axis, "options": {"defined": True}})
    yield records.Record(
        metric={"glob_name": "*", "step_metric": run.axis, "options": {"step_sync": True, "defined": True}}
    )
    last: dict[str, Any] = {}
    for number, values in enumerate(run.history):
        row = {**values, "_step": number, "_runtime": run.duration_seconds, "_timestamp": now}
        last.update(row)
        record = records.Record(history={"step": {"num": number}})
        for name, value in row.items():
            record.history.item.add(nested_key=[name], value_json=json.dumps(value))
        yield record
    summary = records.Record()
    for name, value in {**last, **run.summary, "_runtime": run.duration_seconds}.items():
        summary.summary.update.add(nested_key=[name], value_json=json.dumps(value))
    summary.summary.update.add(nested_key=["_wandb", "runtime"], value_json=json.dumps(int(run.duration_seconds)))
    yield summary
    yield records.Record(exit={"exit_code": 0, "runtime": int(run.duration_seconds)})


def _run_record(run: MirroredRun, now: float) -> records.Record:
    record = records.Record(
        run={
            "run_id": run.id,
            "project": run.project,
            "entity": os.environ.get("WANDB_ENTITY", ""),
            "run_group": run.group,
            "job_type": run.job_type,
            "display_name": run.name,
            "tags": run.tags,
        }
    )
    record.run.start_time.FromNanoseconds(int(now * 1e9))
    for name, value in {"_wandb": {}, **run.config}.items():
        record.run.config.update.add(key=name, value_json=json.dumps(value))
    return record


def _append(file: BinaryIO, data: bytes) -> None:
    """Append one record, cut where a block of the file ends; a rest too small for a frame is filled with zeros."""
    start, first = 0, True
    while first or start < len(data):
        room = BLOCK_BYTES - file.tell() % BLOCK_BYTES
        if room < FRAME.size:
            file.write(bytes(room))
            room = BLOCK_BYTES
        piece = data[start : start + room - FRAME.size]
        start += len(piece)
        ends = start == len(data)
        kind = (FULL if ends else FIRST) if first else (LAST if ends else MIDDLE)
        file.write(FRAME.pack(zlib.crc32(piece, zlib.crc32(bytes([kind]))), len(piece), kind) + piece)
        first = False
