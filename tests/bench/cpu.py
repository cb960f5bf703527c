"""Reads what a process has cost: CPU time and memory, with its descendants."""

import os
import re
import time
from pathlib import Path

_PSS = re.compile(r"^Pss_Anon:\s+(\d+) kB", re.MULTILINE)

SERVER_CORE = 0
LOAD_CORE = 1


def pin_load() -> None:
    """Move this process to the load's core; on a single core it stays where it is."""
    if LOAD_CORE in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {LOAD_CORE})


def family(pid: int) -> list[int]:
    """`pid` and all its living descendants."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            found.extend(int(child) for child in task.read_text().split())
    return found


def cpu_seconds(pids: list[int]) -> float:
    """CPU time of the processes so far, to the nanosecond, threads that ended included."""
    return sum(time.clock_gettime(_clock(pid)) for pid in pids)


def _clock(pid: int) -> int:
    # The kernel's number for "scheduler time of process pid", what clock_getcpuclockid(3) computes.
    return (~pid << 3) | 2


def pss_kib(pids: list[int]) -> int:
    """Memory of the processes in KiB, without mapped files, shared pages counted by share."""
    total = 0
    for pid in pids:
        match = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
        total += int(match[1]) if match else 0
    return total
