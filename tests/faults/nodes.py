"""A Ray cluster of several nodes on one machine: real raylets, which can be killed or frozen as a machine can."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psutil
from ray.cluster_utils import Cluster

HEALTH = {  # a node that is silent for six seconds is lost; Ray's own defaults wait for half a minute
    "health_check_initial_delay_ms": 1_000,
    "health_check_period_ms": 1_000,
    "health_check_timeout_ms": 2_000,
    "health_check_failure_threshold": 3,
}
LOOPBACK = "127.0.0.2"  # Ray takes 127.0.0.1 for the address of the machine in its network


class Nodes:
    """A head and others, one core each. The head's raylet serves the driver and stays; the others may go."""

    def __init__(self, count: int) -> None:
        head = {"num_cpus": 1, "node_ip_address": LOOPBACK, "include_dashboard": False, "_system_config": HEALTH}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.others: list[Any] = []
        self.frozen: list[psutil.Process] = []
        for _ in range(count - 1):
            self.add()

    @property
    def address(self) -> str:
        """For RAY_ADDRESS."""
        return str(self.cluster.address)

    def add(self) -> None:
        """A new node joins."""
        self.others.append(self.cluster.add_node(num_cpus=1, node_ip_address=LOOPBACK))

    def kill(self) -> None:
        """A node goes, with SIGKILL to its raylet, which takes its workers along."""
        self._raylet(self.others.pop(0)).send_signal(signal.SIGKILL)

    def freeze(self) -> None:
        """A node stops where it is, raylet and workers: to the others it is lost."""
        raylet = self._raylet(self.others.pop(0))
        self.frozen = [raylet, *raylet.children(recursive=True)]
        for process in self.frozen:
            with suppress(psutil.NoSuchProcess):
                process.suspend()

    def thaw(self) -> None:
        """What was frozen goes on, and may still be writing what others have made meanwhile."""
        for process in self.frozen:
            with suppress(psutil.NoSuchProcess):
                process.resume()
        psutil.wait_procs(self.frozen, timeout=20)  # a raylet that learns that it is lost ends itself
        self.frozen = []

    @staticmethod
    def _raylet(node: Any) -> psutil.Process:
        return psutil.Process(node.all_processes["raylet"][0].process.pid)


@contextmanager
def cluster(count: int) -> Iterator[Nodes]:
    """A cluster that is gone afterwards, with all that belongs to it."""
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    nodes = Nodes(count)
    try:
        yield nodes
    finally:
        nodes.thaw()
        nodes.cluster.shutdown()
        for process in psutil.Process().children(recursive=True):
            if process.pid not in before:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        time.sleep(0.5)
