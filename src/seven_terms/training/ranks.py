"""The processes of one model over several devices: how a job starts them, and what Lightning makes of them.

The job holds the devices and starts one process per device, the rank, each a `seven-terms train` of its own that finds
its number in the environment. A rank ends when the job ends, however that ends; when a rank fails, the job ends the
others. They talk over the loopback interface only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from pytorch_lightning.strategies import DDPStrategy

from ..spec import require

RANK = "LOCAL_RANK"  # Lightning's name: where it is set, Lightning starts no processes itself
MEETING = "SEVEN_TERMS_MEETING"  # the file through which the ranks of a job find each other
LOOPBACK = {"linux": "lo", "darwin": "lo0"}


def own_rank() -> int | None:
    """Return the number of this process among those of its job, None where it is a job of its own."""
    return int(os.environ[RANK]) if MEETING in os.environ else None


def run_ranks(number: int, arguments: list[str]) -> None:
    """Run `seven-terms <arguments>` as `number` ranks; ValueError when one fails, after the others have been ended."""
    with tempfile.TemporaryDirectory(prefix="seven-terms-") as folder:
        ranks = [_start(rank, number, arguments, meeting=Path(folder, "meeting")) for rank in range(number)]
        try:
            _await(ranks)
        finally:
            for process in ranks:
                process.kill()
                process.communicate()


def _start(rank: int, number: int, arguments: list[str], *, meeting: Path) -> subprocess.Popen[bytes]:
    threads = max(int(os.environ.get("OMP_NUM_THREADS", "1")) // number, 1)
    own = {RANK: rank, MEETING: meeting, "OMP_NUM_THREADS": threads, "SEVEN_TERMS_WARM": 0}
    interface = LOOPBACK.get(sys.platform)
    own |= {"GLOO_SOCKET_IFNAME": interface, "NCCL_SOCKET_IFNAME": interface} if interface else {}
    return subprocess.Popen(
        [sys.executable, "-m", "seven_terms", *arguments],
        env=os.environ | {name: str(value) for name, value in own.items()},
        stdin=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the job, which ends its ranks
    )


def _await(ranks: list[subprocess.Popen[bytes]]) -> None:
    while None in (codes := [process.poll() for process in ranks]) or any(codes):
        require(
            not any(codes),
            what=f"training over {len(ranks)} devices",
            must="each of its processes must end with status 0",
            got=codes,
            do="see what they said above; the same command resumes at the last checkpoint",
        )
        time.sleep(0.05)


def rank_device(rank: int | None, *, accelerator: str) -> torch.device:
    """Return the device of a rank; ranks share devices where there are fewer of them."""
    if accelerator == "cpu":
        return torch.device("cpu")
    return torch.device("cuda") if rank is None else torch.device("cuda", rank % torch.cuda.device_count())


def trainer_options(number: int, *, accelerator: str) -> dict[str, Any]:
    """Return what Lightning's Trainer must know of a run over several devices."""
    if number == 1:
        return {"devices": 1}
    devices = [rank_device(rank, accelerator=accelerator) for rank in range(number)]
    available = number if accelerator == "cpu" else len(set(devices))
    return {"devices": available, "strategy": Ranks(parallel_devices=devices), "use_distributed_sampler": False}


@contextmanager
def joined(rank: int | None, number: int, *, accelerator: str) -> Iterator[None]:
    """Talk with the other ranks inside the context, and end this process as soon as its job has ended."""
    if rank is None:
        yield
        return
    threading.Thread(target=_follow_the_job, daemon=True).start()
    # NCCL takes no two ranks on one device
    own_device_each = accelerator == "gpu" and torch.cuda.device_count() >= number
    backend = "nccl" if own_device_each else "gloo"
    dist.init_process_group(backend, init_method=f"file://{os.environ[MEETING]}", rank=rank, world_size=number)
    yield
    dist.destroy_process_group()


def _follow_the_job() -> None:
    os.read(sys.stdin.fileno(), 1)  # returns when the other end of the pipe is closed, by the kernel if need be
    os._exit(1)


class Ranks(DDPStrategy):
    """Lightning's DDP without its wrapper: a stack's parameters are not a module's, and it averages its own gradients."""

    def configure_ddp(self) -> None:
        """Wrap nothing."""
