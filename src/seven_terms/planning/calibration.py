"""How fast a device is: measured once by `seven-terms calibrate`, kept in a small file; standard library only."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..records.provenance import processor
from ..spec import require
from .workload import KINDS, Kind, Workload

CALIBRATION_FORMAT = 2
COMPILE_SECONDS = 5.0  # of a stack that is compiled: kernels are on disk after the first of their kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Speed:
    """Of one kind of model: time of one launch, and rate of a launch's operations (those of `Workload`)."""

    seconds_per_launch: float
    operations_per_second: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """`start_seconds` is what each stack costs besides its updates; a job without a warm start pays the imports too."""

    hardware: str
    measured: str  # day, or how the numbers came about
    start_seconds: float
    import_seconds: float
    speeds: Mapping[Kind, Speed]

    def parts(self, work: Workload) -> tuple[float, float, float]:
        """Return the expected seconds of a stack for its start, its launches and its operations."""
        speed = self.speeds[work.kind]
        launching, computing = work.launches * speed.seconds_per_launch, work.operations / speed.operations_per_second
        return self.start_seconds + COMPILE_SECONDS * work.is_compiled, launching, computing

    def seconds(self, work: Workload) -> float:
        """Return the expected time of a stack, from its start to its metrics file."""
        return sum(self.parts(work))


REFERENCE = Calibration(
    hardware="one core of a virtual machine (Intel Xeon, AVX-512)",
    measured="measured 2026-11-23",
    start_seconds=0.5,
    import_seconds=5.0,
    speeds={
        "point": Speed(seconds_per_launch=5.0e-5, operations_per_second=8.0e10),
        "dense": Speed(seconds_per_launch=7.0e-5, operations_per_second=1.0e11),
        "recurrent": Speed(seconds_per_launch=3.0e-5, operations_per_second=8.5e10),
        "convolution": Speed(seconds_per_launch=1.2e-4, operations_per_second=9.0e10),
        "native": Speed(seconds_per_launch=2.0e-7, operations_per_second=1.6e11),
    },
)


def write_calibration(calibration: Calibration, path: Path) -> None:
    record = {"format": CALIBRATION_FORMAT, **dataclasses.asdict(calibration)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def read_calibration(path: Path) -> Calibration:
    """Return the calibration in a file; ValueError when it is of another format or lacks a kind of model."""
    record = json.loads(path.read_text(encoding="utf-8"))
    require(
        record.pop("format", None) == CALIBRATION_FORMAT and set(record["speeds"]) == set(KINDS),
        what=f"calibration {str(path)!r}",
        must=f"it must hold format {CALIBRATION_FORMAT} with speeds of {sorted(KINDS)}",
        got=sorted(record.get("speeds", {})),
        do="delete it and run `seven-terms calibrate`",
    )
    return Calibration(**{**record, "speeds": {kind: Speed(**speed) for kind, speed in record["speeds"].items()}})


def calibration_path(accelerator: str) -> Path:
    """Return where this checkout keeps the calibration of its processor or of its GPU."""
    return Path("results", f"calibration-{accelerator}.json")


def calibration_of(accelerator: str, path: Path | None = None) -> Calibration:
    """Return the calibration in a file, by default this checkout's; where there is none, the reference and what to do."""
    chosen = path or calibration_path(accelerator)
    measure = f"`seven-terms calibrate{' --accelerator gpu' if accelerator == 'gpu' else ''}` measures this machine"
    if path is None and not chosen.is_file():
        return dataclasses.replace(REFERENCE, measured=f"{REFERENCE.measured}; {measure} in a minute")
    found = read_calibration(chosen)
    if path is None and accelerator == "cpu" and processor() not in found.hardware:
        return dataclasses.replace(found, measured=f"{found.measured} on another machine; {measure} in a minute")
    return found
