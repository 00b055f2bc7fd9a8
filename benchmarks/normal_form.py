"""How fast networks get their normal form, and how long their texts are.

    python -m benchmarks.normal_form

Networks a second of one core, for cells and whole networks of NAS-Bench-201 and sampled networks of
einspace; then, for each kind of network of the tests, the path that wrote it, the tokens of its
bare expression for all-MiniLM-L6-v2, and milliseconds of a core once everything is
imported.
"""

import random
import time
from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
import torch
from torch import nn

from benchmarks.einspace import count_tokens
from benchmarks.small_forms import Rounds
from cole_core.encodings.normal_form import NormalForm, normal_form
from cole_core.spaces.einspace import Einspace
from cole_core.spaces.nasbench201 import NASBench201

COUNT = 100


def main() -> None:
    """Prints the tables."""
    torch.set_num_threads(1)
    from tests.cole_core.encodings.normal_form.networks import NETWORKS

    print(f"{'networks':32} {'a second':>9} {'modules':>8}")
    cells, einspace = NASBench201(), Einspace()
    natives = random.Random(0).sample(list(cells.enumerate()), COUNT)
    report("cells of nasbench201", [partial(cells.normal_form, native) for native in natives], 14)
    whole = [_maker(cells.build, native) for native in natives[: COUNT // 4]]
    modules = float(np.mean([len(list(make().modules())) for make in whole]))
    report("networks of nasbench201", [_form(make) for make in whole], modules)
    rng = np.random.default_rng(0)
    drawn = [_maker(einspace.build, einspace.sample(rng)) for _ in range(COUNT)]
    sizes = [len(list(make().modules())) for make in drawn]
    small = [make for make, size in zip(drawn, sizes, strict=True) if size <= 100]
    report("einspace, up to 100 modules", [_form(make) for make in small], float(np.mean(sizes)))

    tokens = count_tokens()
    print(f"\n{'kind':24} {'path':8} {'modules':>8} {'tokens':>7} {'ms':>7}")
    for name, kind in NETWORKS.items():
        inputs = kind.inputs if kind.path != "fx" else None
        normal_form(kind.make, inputs).write_bare()  # imports
        start = time.process_time()
        form = normal_form(kind.make, inputs)
        text = form.bare
        taken = (time.process_time() - start) * 1_000
        size = len(list(kind.make().modules()))
        print(f"{name:24} {form.path:8} {size:8} {tokens(text):7} {taken:7.1f}")


def report(name: str, forms: Iterable[Callable[[], NormalForm]], modules: float) -> None:
    """Prints how many networks a second are traced and written."""
    print(f"{name:32} {1 / seconds_each(forms):9.1f} {modules:8.0f}")


def seconds_each(forms: Iterable[Callable[[], NormalForm]]) -> float:
    """Processor seconds until a network is traced and written."""
    made = list(forms)
    made[0]().write_bare()  # imports
    start = time.process_time()
    for form in made:
        form().write_bare()
    return (time.process_time() - start) / len(made)


def small() -> Rounds:
    """One of 20 cells, of 5 whole networks, of 20 sampled ones of einspace."""
    cells, einspace = NASBench201(), Einspace()
    natives = random.Random(0).sample(list(cells.enumerate()), 20)
    rng = np.random.default_rng(0)
    drawn = [_maker(einspace.build, einspace.sample(rng)) for _ in range(20)]
    while True:
        torch.set_num_threads(1)
        yield {
            "cell": seconds_each(partial(cells.normal_form, native) for native in natives),
            "network": seconds_each(_form(_maker(cells.build, native)) for native in natives[:5]),
            "einspace": seconds_each(map(_form, drawn)),
        }


def _maker(build: Callable[[str], nn.Module], native: str) -> Callable[[], nn.Module]:
    return lambda: build(native)


def _form(make: Callable[[], nn.Module]) -> Callable[[], NormalForm]:
    return lambda: normal_form(make)


if __name__ == "__main__":
    main()
