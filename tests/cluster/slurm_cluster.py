"""A real Slurm cluster on one machine: munge, MariaDB, slurmdbd, slurmctld and emulated nodes, on loopback only.

A node is a slurmd in its own process, host-name and mount namespace: killing the namespace's first process ends it with
everything that runs on it, as pulling a machine's plug does. Its GPUs are device files of no function; Slurm counts them,
hands them out and names them in CUDA_VISIBLE_DEVICES all the same. Needs root.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGES = ("slurm-wlm", "slurmdbd", "slurm-wlm-mysql-plugin", "munge", "mariadb-server")
PROGRAMS = ("munged", "mariadbd", "mariadb-install-db", "slurmdbd", "slurmctld", "slurmd", "srun", "unshare", "setpriv")
TEMPLATES = Path(__file__).resolve().parent / "etc"
FIRST_SRUN_PORT, NUM_SRUN_PORTS = 60001, 200
START_NODE = 'hostname "$1"; mount --bind "$2" /etc/hosts; slurmd -D -N "$1" & wait $!'
NEW_DATABASE = """
create database slurm_acct_db;
create user slurm@'127.0.0.1' identified by '{password}';
create user slurm@localhost identified by '{password}';
grant all on slurm_acct_db.* to slurm@'127.0.0.1';
grant all on slurm_acct_db.* to slurm@localhost;
"""


def why_not() -> str | None:
    """Return the reason for which no cluster can run here, or None; installs Slurm where that disturbs nobody."""
    if not sys.platform.startswith("linux") or os.getuid() != 0:
        return "a Slurm cluster of emulated nodes needs Linux and root"
    if any(shutil.which(program) is None for program in PROGRAMS):
        line = f"apt-get install --no-install-recommends {' '.join(PACKAGES)}"
        if shutil.which("apt-get") is None or Path("/run/systemd/system").is_dir():
            # With systemd the packages would start services of their own.
            return f"Slurm is not installed; to run this test: {line}"
        if not _install():
            return f"Slurm could not be installed; to run this test: {line}"
    with tempfile.TemporaryDirectory() as folder:
        for command in (["unshare", "--pid", "--fork", "--uts", "--mount", "true"], _make_device(Path(folder) / "gpu")):
            if subprocess.run(command, capture_output=True, check=False).returncode:
                return f"this machine forbids what emulated nodes need: {' '.join(command)}"
    return None


def _install() -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
        if subprocess.run(["apt-get", "-qq", *words], env=environment, capture_output=True, check=False).returncode:
            return False
    return all(shutil.which(program) for program in PROGRAMS)


class SlurmCluster:
    """A cluster in a folder (of a short path, for its sockets): `num_nodes` nodes of `num_gpus` GPUs each."""

    def __init__(self, folder: Path, *, num_nodes: int = 3, num_gpus: int = 2) -> None:
        self.folder, self.num_nodes, self.num_gpus = folder, num_nodes, num_gpus
        self.daemons: dict[str, subprocess.Popen] = {}
        self.settings = {
            "folder": folder,
            "num_nodes": num_nodes,
            "last_gpu": num_gpus - 1,
            "password": secrets.token_hex(8),
            "first_srun_port": FIRST_SRUN_PORT,
            "last_srun_port": FIRST_SRUN_PORT + NUM_SRUN_PORTS - 1,
            "srun": shutil.which("srun"),
            "seven_terms": Path(sys.executable).with_name("seven-terms"),
        }

    @property
    def environment(self) -> dict[str, str]:
        """What Snakemake and Slurm's commands need to find this cluster."""
        path = os.pathsep.join([str(self.folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
        return {**os.environ, "SLURM_CONF": str(self.folder / "etc" / "slurm.conf"), "PATH": path}

    def start(self) -> None:
        self._write_settings()
        self._start_authentication()
        self._start_database()
        self._start("slurmdbd", "slurmdbd", "-D")
        self._wait(lambda: _listens(self.settings["database_daemon_port"]), "slurmdbd must listen")
        self._start("slurmctld", "slurmctld", "-D")
        self._wait(lambda: _listens(self.settings["controller_port"]), "slurmctld must listen")
        for number in range(1, self.num_nodes + 1):
            self._start_node(f"node{number}")
        self._wait(
            lambda: self.say("sinfo", "-h", "-t", "idle", "-o", "%D") == str(self.num_nodes), "nodes must be idle"
        )

    def say(self, *command: str) -> str:
        """Return what a Slurm command prints."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        return done.stdout.strip()

    def crash(self, node: str) -> None:
        """End a node and every process on it at once, without a word to Slurm."""
        daemon = self.daemons.pop(node)
        daemon.kill()
        daemon.wait()

    def stop(self) -> None:
        """End every job and daemon; the last started goes first."""
        if "slurmctld" in self.daemons:
            self.say("scancel", "--user", "root")
        for name, daemon in reversed(self.daemons.items()):
            daemon.kill() if name in self._nodes() else daemon.terminate()
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self.daemons.clear()

    def _write_settings(self) -> None:
        for name in ("etc", "bin", "log", "dev", "state", "munge", *[f"spool/{node}" for node in self._nodes()]):
            (self.folder / name).mkdir(parents=True)
        for name in ("database_port", "database_daemon_port", "controller_port", *self._nodes()):
            self.settings[name] = _free_port()
        self.settings["nodes"] = "\n".join(
            f"NodeName={node} NodeHostname={node} NodeAddr=127.0.0.1 Port={self.settings[node]} CPUs=4"
            f" RealMemory=16000 Gres=gpu:{self.num_gpus} State=UNKNOWN"
            for node in self._nodes()
        )
        for template in TEMPLATES.iterdir():
            path = self.folder / ("etc" if template.suffix else "bin") / template.name
            path.write_text(template.read_text().format(**self.settings))
            path.chmod(0o600 if template.suffix else 0o755)
        (self.folder / "etc" / "hosts").write_text(
            f"127.0.0.1 localhost {socket.gethostname()} {' '.join(self._nodes())}\n"
        )
        for number in range(self.num_gpus):
            subprocess.run(_make_device(self.folder / "dev" / f"gpu{number}"), check=True)

    def _nodes(self) -> list[str]:
        return [f"node{number}" for number in range(1, self.num_nodes + 1)]

    def _start_authentication(self) -> None:
        key = self.folder / "munge" / "key"
        key.write_bytes(secrets.token_bytes(128))
        (self.folder / "munge").chmod(0o700)
        key.chmod(0o600)
        names = {"key-file": "munge/key", "seed-file": "munge/seed", "log-file": "log/munged"}
        names |= {"socket": "munge.socket", "pid-file": "munged.pid"}
        options = [f"--{option}={self.folder / name}" for option, name in names.items()]
        self._start("munged", "munged", "--foreground", *options)
        self._wait((self.folder / "munge.socket").exists, "munged must open its socket")

    def _start_database(self) -> None:
        data, door = f"--datadir={self.folder}/database", f"--socket={self.folder}/database.socket"
        plain = ("--no-defaults", "--user=root", data)
        subprocess.run(
            ["mariadb-install-db", *plain, "--auth-root-authentication-method=socket", "--skip-test-db"],
            capture_output=True,
            check=True,
        )
        network = (f"--port={self.settings['database_port']}", "--bind-address=127.0.0.1")
        sizes = ("--innodb-buffer-pool-size=64M", "--innodb-lock-wait-timeout=900")
        pid_file = f"--pid-file={self.folder}/mariadbd.pid"
        self._start("mariadbd", "mariadbd", *plain, door, pid_file, *network, *sizes)
        client = ["mariadb", "--no-defaults", door]
        alive = ["mariadb-admin", "--no-defaults", door, "ping"]
        self._wait(
            lambda: subprocess.run(alive, capture_output=True, check=False).returncode == 0, "MariaDB must answer"
        )
        subprocess.run([*client, "--execute", NEW_DATABASE.format(**self.settings)], check=True)

    def _start_node(self, node: str) -> None:
        apart = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--uts", "--mount")
        self._start(node, *apart, "bash", "-c", START_NODE, "node", node, f"{self.folder}/etc/hosts")

    def _wait(self, condition: Callable[[], bool], what: str, *, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            dead = [name for name, daemon in self.daemons.items() if daemon.poll() is not None]
            if dead or time.monotonic() > deadline:
                logs = "\n".join(path.read_text(errors="replace")[-2000:] for path in (self.folder / "log").iterdir())
                raise RuntimeError(
                    f"{what} within {seconds:.0f} s, but {dead or 'nothing'} ended; the logs say:\n{logs}"
                )
            time.sleep(0.1)

    def _start(self, name: str, *command: str) -> None:
        with open(self.folder / "log" / f"{name}.out", "wb") as output:
            self.daemons[name] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command],  # nothing outlives the tests, however they end
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


@contextmanager
def running_cluster() -> Iterator[SlurmCluster]:
    """Yield a cluster that is ready for jobs; nothing of it is left afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))  # pytest's own paths are long for a socket
    folder.chmod(0o711)  # munged asks for a way to its socket that is open to all
    cluster = SlurmCluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _make_device(path: Path) -> list[str]:
    return ["mknod", "-m", "666", str(path), "c", "1", "3"]  # another /dev/null


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
