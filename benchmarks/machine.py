"""The machine that a benchmark runs on: its processor, and how fast that multiplies matrices."""

import os
import platform
import subprocess
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import torch

PACKAGES = (
    *("cole-warehouse", "duckdb", "lancedb", "numba", "numpy", "polars", "prefect", "pyarrow"),
    *("pylance", "scikit-learn", "scipy", "torch", "transformers"),
)
"""Whose versions change how long things take."""


def cpu_name() -> str:
    """What the operating system calls the processor."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def processor() -> str:
    """The processor, how many cores of it and threads there are, and the GPU beside it."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{cpu_name()}, cores {cores}, threads {torch.get_num_threads()}{gpu}"


def matrix_rate(
    device: torch.device, dtype: torch.dtype, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Operations per second of the machine's matrix product, the best of some sizes."""
    rates = []
    for size in (8192,) if device.type == "cuda" else (1024, 1536, 2048):
        a, b = (torch.rand(size, size, dtype=dtype, device=device) for _ in range(2))
        for _ in range(4):
            start = clock()
            a @ b
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            rates.append(2 * size**3 / (clock() - start))
    return max(rates)


def core_rate(dtype: torch.dtype) -> float:
    """The matrix rate of one core by its processor time, which others' work changes little."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return matrix_rate(torch.device("cpu"), dtype, time.process_time)
    finally:
        torch.set_num_threads(threads)


def versions() -> dict[str, str]:
    """Of Python and the packages."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def commit() -> str:
    """The commit that is checked out, with a plus where files differ from it; empty without git."""
    command = ["git", "describe", "--always", "--exclude=*", "--dirty=+"]
    done = subprocess.run(
        command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
