"""One session of measuring: the cores, the processes that are kept throughout, and the jobs they get."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from argparse import Namespace
from pathlib import Path
from typing import IO

from seven_terms.spec import Recurrent

from .contenders import CONTENDERS, Contender, available
from .job import Job
from .processes import Process, process_of, usable_cores
from .rounds import Entry, chunk_steps, measure
from .rows import Row, rows_of
from .whole_grid import WORKLOAD, Grid, measure_whole_grid
from .workloads import WORKLOADS

EXCHANGE = Contender(name="exchange", module="exchange")  # writes data for JAX and measures the rate of products


class Session:
    """Starts a process for every contender and number of threads, one after the other; `kept` closes them."""

    def __init__(self, chosen: Namespace, *, log: IO[bytes], folder: Path, kept: contextlib.ExitStack) -> None:
        self.chosen, self.log, self.folder = chosen, log, folder
        cores = usable_cores()
        self.threads = [number for number in chosen.threads if number <= len(cores)] or [1]
        self.cores = tuple(cores[: max(self.threads)])
        self.contenders = self._available()
        self.processes: dict[Entry, Process] = {}
        self.starts: dict[Entry, float] = {}
        self.exchange = kept.enter_context(process_of(EXCHANGE, cores=self.cores, log=log))
        self.exchange.wait_until_ready()
        for one in self.contenders:
            for number in self.threads if one.both_threads else self.threads[:1]:
                process = kept.enter_context(process_of(one, cores=self.cores[:number], log=log))
                self.starts[one, number] = process.wait_until_ready()
                self.processes[one, number] = process
        self.rates: dict[int, float] = {}
        self.device = self._measure_rate(1)

    def workload(self, name: str) -> list[Row]:
        """Return the rows of one workload at all sizes."""
        for number in self.threads:
            self._measure_rate(number)
        return [row for size in self.chosen.sizes for row in self._size(name, size)]

    def whole_grid(self) -> list[Row]:
        """Return the rows of the whole grid."""
        steps = self.chosen.grid_steps
        job = self._job(WORKLOAD, self.chosen.grid_runs, num_steps=steps, chunk=steps)
        grid = Grid(job=job, cores=self.cores, data_folder=self.folder, log=self.log)
        self._measure_rate(len(self.cores))
        rate, rounds = self.rates[len(self.cores)], self.chosen.grid_rounds
        return measure_whole_grid(self.contenders, grid, rounds=rounds, rate=rate, exchange=self.exchange)

    def _available(self) -> list[Contender]:
        named = [one for one in CONTENDERS if one.name in self.chosen.contenders]
        found = [one for one in named if available(one, accelerator=self.chosen.device)]
        for one in named:
            if one not in found:
                print(f"seven-terms bench: {one.name!r} cannot run here and is left out.", file=sys.stderr)
        return found

    def _measure_rate(self, num_threads: int) -> str:
        """Keep the best rate of products that this session has seen, and return the device's name."""
        found = self.exchange.ask("rate", {"accelerator": self.chosen.device, "num_threads": num_threads})
        self.rates[num_threads] = max(self.rates.get(num_threads, 0.0), float(found["rate"]))
        return str(found["device"])

    def _size(self, name: str, num_runs: int) -> list[Row]:
        chunk = chunk_steps(WORKLOADS[name], num_runs, seconds=self.chosen.chunk_seconds)
        job = self._job(name, num_runs, num_steps=chunk * (1 + self.chosen.rounds), chunk=chunk)
        self.exchange.ask("data", dataclasses.asdict(job))
        able = {
            entry: process
            for entry, process in self.processes.items()
            if entry[0].recurrent or not isinstance(job.training.model, Recurrent)
        }
        return rows_of(job, measure(job, able), starts=self.starts, rates=self.rates)

    def _job(self, name: str, num_runs: int, *, num_steps: int, chunk: int) -> Job:
        return Job(
            workload=name,
            num_runs=num_runs,
            first=0,
            stop=num_runs,
            num_steps=num_steps,
            chunk=chunk,
            accelerator=self.chosen.device,
            data_path=str(self.folder / "data.npz"),
        )
