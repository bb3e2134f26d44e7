"""Run all attacks and print their table; the exit status says whether any of them found a mistake.

Each part has its share of the minutes: what is not reached by then is left out, and the table says how often each was tried.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from . import bits, damage, disks, kills, review, specs
from .outcomes import Trial, bad, markdown, write_trials

PARTS = {"bits": 0.06, "specs": 0.1, "kills": 0.34, "disks": 0.16, "damage": 0.16, "review": 0.18}  # of the minutes
WRITTEN_EVERY = 20.0  # seconds
PROJECT = Path(__file__).resolve().parent.parent.parent


def main() -> int:
    chosen = options().parse_args()
    total = sum(PARTS[part] for part in chosen.parts)
    found: list[Trial] = []
    written = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for part in chosen.parts:
            seconds = 60 * chosen.minutes * PARTS[part] / total
            print(f"seven-terms stress: {part}, at most {seconds / 60:.0f} min", file=sys.stderr, flush=True)
            for one in attacks(part, Path(folder, part), kills=chosen.kills, until=time.monotonic() + seconds):
                found.append(one)
                if time.monotonic() - written > WRITTEN_EVERY:
                    write_trials(found, chosen.output)
                    written = time.monotonic()
                if bad([one]):
                    print(f"{one.attack}, {one.on}: {one.outcome}; {one.told}", file=sys.stderr, flush=True)
            print(markdown(found), file=sys.stderr, flush=True)
            write_trials(found, chosen.output)
    print(markdown(found))
    return int(bool(bad(found)))


def attacks(part: str, folder: Path, *, kills: int, until: float) -> Iterator[Trial]:
    now = time.monotonic()
    match part:
        case "bits":
            return bits.trials(folder)
        case "specs":
            return specs.trials(until=until, training_until=now + 0.5 * (until - now))
        case "kills":
            return _kills(folder, number=kills, until=until)
        case "disks":
            return disks.trials(folder, PROJECT, until=until)
        case "review":
            return review.trials(folder, PROJECT, until=until)
    return damage.trials(folder, PROJECT, until=until)


def _kills(folder: Path, *, number: int, until: float) -> Iterator[Trial]:
    return kills.trials(folder, PROJECT, number=number, until=until)


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.stress", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", default=list(PARTS), type=_part, metavar="PART", help=f"of {', '.join(PARTS)}"
    )
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--output", type=Path, default=Path("results/stress/trials.csv"))
    return parser


def _part(text: str) -> str:
    if text not in PARTS:
        raise argparse.ArgumentTypeError(f"a part must be one of {', '.join(PARTS)}, got {text!r}")
    return text


if __name__ == "__main__":
    sys.exit(main())
