"""The packaged accuracies, read whole, beside the bare decoding of their pickle.

    python -m benchmarks.reading [--repeats N]

Seconds depend on the machine; how many times as long as the decoding alone the whole reading takes
(names of cells, every row's metric, the checks) does not.
"""

import argparse
import io
import time
from collections.abc import Callable, Sequence

from benchmarks.small_forms import Rounds
from cole_core.sources.unpickling import load_pickle
from cole_core.spaces import get_space
from cole_core.spaces.nasbench201.benchmarks import analog_nasbench


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the median processor seconds of both, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args(arguments).repeats

    decoding, whole = seconds(repeats)
    print(f"decoding {decoding:.2f} s, whole reading {whole:.2f} s, {whole / decoding:.1f} times")
    return 0


def seconds(repeats: int) -> tuple[float, float]:
    """Median processor seconds of the decoding alone and of the whole reading."""
    space = get_space("nasbench201")
    content = analog_nasbench._installed_file().read_bytes()
    decoding = _median(
        lambda: load_pickle(
            io.BytesIO(content), analog_nasbench._stand_ins(), analog_nasbench.NAME
        ),
        repeats,
    )
    return decoding, _median(lambda: analog_nasbench.read_analog_nasbench(space), repeats)


def small() -> Rounds:
    """Both, once."""
    while True:
        decoding, whole = seconds(1)
        yield {"decoding": decoding, "whole reading": whole}


def _median(action: Callable[[], object], repeats: int) -> float:
    seconds = []
    for _ in range(repeats):
        started = time.process_time()
        action()
        seconds.append(time.process_time() - started)
    return sorted(seconds)[repeats // 2]


if __name__ == "__main__":
    raise SystemExit(main())
