"""Stage: what the encoding `proxies` is made of, computed once per canonical form, into the
warehouse."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from prefect import flow

from cole_core.encodings.proxies import PROXIES
from cole_core.errors import InputError
from cole_core.evaluation.outcomes import OK
from cole_core.evaluation.proxy_encoding import EncodedProxyEvaluator
from cole_core.evaluation.settings import EncodedProxySettings, Limits, TrainingSettings
from flows.resolve.current import current
from flows.resolve.network_training import NetworkOptions
from flows.resolve.requests import Flag, InWarehouse, Seed, request
from flows.resolve.spaces import find_space_for, find_to_build
from flows.running.names import run_name
from flows.running.networks import check_place, pools
from flows.running.progress import track
from flows.running.runs import recorded_run
from flows.running.stage import planned
from flows.tasks.evaluations import evaluate_all, not_evaluated, report_failures
from warehouse import Warehouse


@request
class ProxiesRequest(InWarehouse):
    """The canonical forms that have no proxies yet under the same settings.

    Attributes:
        dataset: Whose images the networks are shown: digits, add-digits, or the path of an .npz
            file or a folder of .npy files; by default noise.
        images: How many.
        networks: Which networks, and what they may cost.
        seed: Of the weights, the noise and the choice of images.
        retry_failed: Try those again that failed before.
    """

    dataset: str | None = None
    images: int = EncodedProxySettings.images
    networks: NetworkOptions = NetworkOptions()
    seed: Seed = 0
    retry_failed: Flag = False


@dataclass(frozen=True)
class ProxiesPlan:
    """What computes them, and the first architecture of each canonical form."""

    evaluator: EncodedProxyEvaluator
    natives: list[str]


def plan(request: ProxiesRequest) -> ProxiesPlan:
    """Resolves and checks a request.

    Raises:
        InputError: A name is unknown, the dataset is not right, or there is no architecture.
    """
    warehouse, networks = Warehouse(request.home), request.networks
    Limits(networks.time_limit, networks.memory_limit).check()
    check_place(networks)
    training = networks.training(
        request.dataset or "", TrainingSettings(), seed=request.seed, device="cpu"
    )
    if request.dataset is None:
        for name in ("size", "max_activations", "max_parameters"):
            if getattr(networks, name) is not None:
                said = f"--{name.replace('_', '-')} {getattr(networks, name)}"
                raise InputError(f"{said} is for a dataset: name one with --dataset")
        dataset, space = None, find_to_build(warehouse, request.space, networks.run)
    else:
        dataset = training.load()
        space = find_space_for(warehouse, training, request.space, dataset, networks.run)
    space.encoding(PROXIES)
    settings = EncodedProxySettings.of(
        space, images=request.images, seed=request.seed, macro=networks.macro
    )
    stored = current(space, warehouse.architectures(space))
    if stored.is_empty():
        raise InputError(
            f"no architectures of {space.full_name} are stored: store some with 'cole enumerate "
            f"{space.full_name}{'' if space.size is not None else ' --samples N'}'"
        )
    first = stored.unique("canonical_id", keep="first", maintain_order=True)
    evaluator = EncodedProxyEvaluator(space, dataset, training.limits, settings)
    # In any order but the space's: what an interrupted run leaves is a fair sample.
    return ProxiesPlan(
        evaluator, first["native"].sample(fraction=1, shuffle=True, seed=0).to_list()
    )


@flow(name="proxies", flow_run_name=run_name("space", "dataset"))
def proxies(request: ProxiesRequest) -> dict[str, Any]:
    """Computes proxies and stores them; what is stored is skipped.

    Raises:
        InputError: As `plan`.
    """
    made = planned(plan, request)
    evaluator = made.evaluator
    with (
        pools(request.networks, "cpu") as start,
        recorded_run(request.home, "proxies", request) as run,
    ):
        wanted = not_evaluated(
            run.warehouse, evaluator, made.natives, request.seed, request.retry_failed
        )
        with (
            start(evaluator) as pool,
            track("proxies · networks", len(wanted)) as advance,
        ):
            attempts = evaluate_all(run, evaluator, pool, wanted, request.seed, advance)
        report_failures([attempt for attempt in attempts if attempt.status != OK])
        counts = Counter(attempt.status for attempt in attempts)
        run.summary = {
            "proxies": counts.pop(OK, 0),
            "proxies_skipped": len(made.natives) - len(wanted),
            **{f"proxies_{status}": count for status, count in sorted(counts.items())},
            "proxies_source": evaluator.source,
        }
    return run.summary
