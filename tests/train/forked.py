"""Trainings in forked processes: real ones, to be killed, whose imports are paid for once."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TextIO

import torch
from torch.nn.modules.module import register_module_forward_pre_hook

from tests.train.several import become_one_of_several, free_port
from train.control.control import Control
from train.run import app

STEP, PROBE, SAVING = b"s", b"p", b"c"  # what a training tells of itself, as it begins each


@dataclass(frozen=True)
class Blow:
    """When to kill a training: `wait` seconds after it begins to save or draw, once a step has begun."""

    step: int  # counted from the start of these processes; 1 is the first
    kind: bytes
    wait: float


class Forked:
    """A training that was started: `train/run.py` with these arguments, in one process or several on this machine."""

    def __init__(self, arguments: Sequence[str], *, processes: int, folder: Path) -> None:
        """Start it.

        Args:
            folder: where each process leaves what it says (rank-0.log) and what it reads (rank-0.jsonl).
        """
        folder.mkdir(parents=True)
        self._folder = folder
        self._told, tell = os.pipe()
        port = free_port()
        self._group, self._children = 0, list[int]()
        for rank in range(processes):
            child = os.fork()
            if not child:
                os.setpgid(0, self._group)
                if processes > 1:
                    become_one_of_several(rank, processes=processes, port=port)
                _train(arguments, folder / f"rank-{rank}", tell if rank == 0 else os.open(os.devnull, os.O_WRONLY))
            self._group = self._group or child
            os.setpgid(child, self._group)
            self._children.append(child)
        os.close(tell)

    def kill(self, blow: Blow) -> bool:
        """Kill all its processes at that moment; False if it was through before."""
        steps = 0
        while told := os.read(self._told, 1):
            steps += told == STEP
            if steps >= blow.step and told == blow.kind:
                time.sleep(blow.wait)
                os.killpg(self._group, signal.SIGKILL)
                break
        return [signal.SIGKILL] * len(self._children) == [-code for code in self._wait()]

    def finish(self) -> None:
        """Wait for its end, which has to be a good one."""
        codes = self._wait()
        if any(codes):
            raise AssertionError(f"{codes}: {(self._folder / 'rank-0.log').read_text()[-3000:]}")

    def _wait(self) -> list[int]:
        while os.read(self._told, 4096):
            pass
        os.close(self._told)
        return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in self._children]


def in_fork(act: Callable[[], None]) -> None:
    """Do something in a process of its own, so that this one stays as it is."""
    child = os.fork()
    if not child:
        code = 1
        try:
            act()
            code = 0
        finally:
            os._exit(code)
    if os.waitpid(child, 0)[1]:
        raise AssertionError("it failed; it has said why")


def _train(arguments: Sequence[str], log: Path, tell: int) -> None:
    """Be a process of the training to its end; never comes back."""
    code: Any = 1
    try:
        output = log.with_suffix(".log").open("w")
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        torch.set_num_threads(1)
        _watch(log.with_suffix(".jsonl").open("w"), tell)
        code = app(list(arguments), standalone_mode=False)
    except Exception as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 0)


def _watch(reads: TextIO, tell: int) -> None:
    """Tell when a step, a probe or a save begins, and write down what each step reads."""

    def before(module: torch.nn.Module, inputs: tuple[Any, ...]) -> None:
        if not isinstance(module, Control) or inputs[0].is_meta:  # there costs are counted
            return
        if not (module.training and torch.is_grad_enabled()):
            os.write(tell, PROBE)
            return
        os.write(tell, STEP)
        noisy, timesteps, _, hints = inputs[:4]
        for sample in range(len(noisy)):
            said = {
                "hint": sha256(hints[sample].numpy().tobytes()).hexdigest(),
                "timestep": int(timesteps[sample]),
                "noisy": noisy[sample].flatten()[:8].tolist(),
            }
            reads.write(json.dumps(said) + "\n")
        reads.flush()

    def on_event(event: str, details: tuple[Any, ...]) -> None:
        if event == "os.mkdir" and Path(str(details[0])).name.startswith(".step-"):
            os.write(tell, SAVING)

    register_module_forward_pre_hook(before)
    sys.addaudithook(on_event)
