"""What can happen to a job: its driver, a worker, or a node dies, or a node stands still and comes back later."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from random import Random

import psutil

from tests.faults.nodes import Nodes
from tests.faults.stages import Blow, Run, Stage


def draw_blows(stage: Stage, count: int, nodes: Nodes | None, chance: Random) -> list[Blow]:
    """So many blows for a stage, in the order of their moments; every kind in turn, from a random one on."""
    kinds: dict[str, Callable[[Run], bool]] = {"driver killed": kill_driver}
    if stage.watched:
        kinds["worker killed"] = kill_worker
        kinds["worker frozen"] = freeze_worker
    if stage.watched and nodes:
        del kinds["worker frozen"]
        kinds |= {"node killed": partial(kill_node, nodes), "node frozen": partial(freeze_node, nodes)}
    first = chance.randrange(len(kinds))
    chosen = [list(kinds)[(first + number) % len(kinds)] for number in range(count)]
    moments = sorted(chance.uniform(0.0, 0.75) for _ in chosen)
    return [Blow(what, at, kinds[what]) for what, at in zip(chosen, moments, strict=True)]


def kill_driver(run: Run) -> bool:
    """SIGKILL of the command itself; a Ray of its own goes with it."""
    run.process.kill()
    run.process.wait()
    return True


def kill_worker(run: Run) -> bool:
    """SIGKILL of one process that makes shards."""
    for worker in _workers():
        with suppress(psutil.NoSuchProcess):
            worker.kill()
            return True
    return False


def freeze_worker(run: Run) -> bool:
    """A process that makes shards stands still; then the driver dies, a new one begins, and the old worker goes on."""
    for worker in _workers():
        with suppress(psutil.NoSuchProcess):
            worker.suspend()
            kill_driver(run)
            run.start()
            worker.resume()
            return True
    return False


def kill_node(nodes: Nodes, run: Run) -> bool:
    """SIGKILL of a raylet that has a worker; another node takes its place."""
    nodes.kill()
    nodes.add()
    return True


def freeze_node(nodes: Nodes, run: Run) -> bool:
    """A node stands still, to be thawed when the stage is over; another one takes its place."""
    if nodes.frozen:
        return False
    nodes.freeze()
    nodes.add()
    return True


def _workers() -> list[psutil.Process]:
    """Processes at work on shards."""
    return [process for process in psutil.Process().children(recursive=True) if _works(process)]


def _works(process: psutil.Process) -> bool:
    try:
        return any("Worker)" in word for word in process.cmdline())
    except psutil.Error:
        return False
