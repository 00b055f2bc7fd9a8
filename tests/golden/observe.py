"""What the golden tests pin, as today's code gives it; `record` keeps it, the tests compare.

All of it comes through the command line and the views, but for the few functions that stand first
here: where something moves, they are what follows it.

Everything is made of structural encodings and of values computed from the native strings, so that
no rounding of a language model, a dataset or an accelerator comes in. The steps of a search by a
Gaussian process still rest on floats: seeds are chosen so that what is proposed next leads what
is not by far more than any machine rounds.
"""

import csv
import itertools
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from cole_core.evaluation.settings import ProxySettings, TrainingSettings
from cole_core.language_models.specification import EmbeddingSpecification
from tests.golden.command import cole_at
from warehouse import Warehouse

Observed = dict[str, Any]


def training_settings_id(settings: Mapping[str, Any], dataset_hash: str) -> str:
    """The id of a training's settings on a dataset, without training."""
    return TrainingSettings(**settings).settings_id(dataset_hash)


def proxy_settings_id(settings: Mapping[str, Any], dataset_hash: str) -> str:
    """The id of the settings of proxies on a dataset, without computing any."""
    return ProxySettings(**settings).settings_id(dataset_hash)


def specification_id(**fields: Any) -> str:
    """The id of an embedding specification of a model that is not here."""
    return EmbeddingSpecification(**fields).spec_id


CELLS = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|",
    "|none~0|+|nor_conv_1x1~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|",
    "|skip_connect~0|+|none~0|none~1|+|nor_conv_1x1~0|avg_pool_3x3~1|none~2|",
)
EINSPACE = "einspace:1x8x8:10"
NETWORKS = Path(__file__).with_name("einspace.csv")  # a dozen native strings, drawn once
FEW = 5  # of them have their texts pinned
TEXTS = {
    "nasbench201": {
        "code.expression": ("none", "network", "comment"),
        "code.inline": ("none", "network", "comment"),
        "code.helper": ("none", "network", "comment"),
        "code.exclude_helper": ("none", "network", "comment"),
        "onnx": ("none", "network"),
        "arch_str": ("none",),
    },
    EINSPACE: {
        "code.expression": ("none",),
        "code.class": ("none",),
        "derivation": ("none",),
        "derivation.canonical": ("none",),
        "onnx": ("none",),
    },
}

SPECIFICATIONS = (
    "--pooling avg_avg",
    "--pooling mean --precision fp32",
    "--pooling mean --precision int8 --normalize",
    "--pooling cls --max-length 60",
    "--pooling last_token --layer 3 --layer -1",
    "--pooling multi_layer",
    "--pooling avg_avg --instruction classify:",
    "--pooling own",
)
EMBEDDED = (
    "--precision fp32 --random-init 7",
    "--precision fp32 --window 32 --overlap 8",
    "--precision fp32 --pooling multi_layer --every 2",
)
CAUSAL = {
    "language_model": "somebody/causal",
    "revision": "main",
    "model_type": "llama",
    "kind": "causal",
    "weights_sha256": "0" * 64,
    "config_sha256": "1" * 64,
    "tokenizer_sha256": "2" * 64,
    "hidden_size": 64,
    "layers": (2,),
    "pooling": "last_token",
    "normalize": False,
    "precision": "bf16",
    "max_length": None,
    "window": 2048,
    "overlap": 256,
    "echo": False,
    "instruction": "",
    "trust_remote_code": False,
    "random_init": None,
}
CAUSAL_VARIANTS: tuple[dict[str, Any], ...] = (
    {},
    {"echo": True},
    {"language_model": "a name is for people", "revision": "and a revision too"},
    {"trust_remote_code": True, "instruction": "Represent this network: "},
    {"precision": "fp16", "max_length": 512, "layers": (0, 1, 2), "pooling": "multi_layer"},
)

DATASET_HASH = "0123456789abcdef" * 2
TRAINING_SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"epochs": 1},
    {"optimizer": "sgd"},
    {"learning_rate": 0.01},  # what adamw has by default: the same id
    {"batch_size": 32, "weight_decay": 0.0, "augmentation": "shift+flip", "precision": "bf16"},
    {"macro": {"channels": 16, "cells": 2}},
)
PROXY_SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"batch_size": 16},
    {"macro": {"channels": 16, "cells": 2}},
)

VALUES = ("--dataset", "made", "--metric", "accuracy", "--split", "test")
TRAININGS = (
    "--encoding graf --head gaussian_process -n 20 -n 40 --draws 2",
    "--encoding path --head ridge -n 20 --draws 2 --seed 5",
    "--encoding adjacency --head mlp --loss hinge -n 10 --draws 1",
    "--encoding ngram --head kernel_ridge -n 20 --draws 1",
    "--encoding graf+path --head gaussian_process -n 20 --draws 1",
    "--encoding graf --head xgboost -n 20 --draws 1",
)
COMPARED = ("encoding=path,head=ridge", "encoding=graf,head=ridge", "encoding=graf,head=xgboost")
COMPARISONS = ("--folds 2 --repeats 2 -n 14 -n 30", "--folds 3 --repeats 1 -n 14 --canonical")
SEARCHED = {
    "nasbench201": (
        "algorithm=random_search",
        "algorithm=local_search",
        "algorithm=regularized_evolution,population=5,sample=3",
        "encoding=graf,initial=4,batch=3",
        "encoding=graf,initial=4,batch=3,acquisition=its",
        "encoding=graf,initial=4,batch=3,acquisition=ei",
        "encoding=graf,initial=4,batch=3,acquisition=exploit",
        "encoding=graf,initial=4,batch=3,candidates=mutation",
        "encoding=graf,head=ridge,acquisition=exploit,initial=4,batch=3",
        "encoding=path,preset=paper",  # ten steps at random: a network's rounding is in no step
    ),
    EINSPACE: (
        "algorithm=random_search",
        "encoding=counts,initial=4,batch=3",
    ),
}
FIRST_SEED, SEEDS, STEPS = 0, 2, 10


def made_cells() -> list[str]:
    """All 729 cells of three operations: many twins, and neighbours that are there as well."""
    operations = ("nor_conv_3x3", "skip_connect", "none")
    return [
        "|{}~0|+|{}~0|{}~1|+|{}~0|{}~1|{}~2|".format(*edges)
        for edges in itertools.product(operations, repeat=6)
    ]


def made_value(native: str) -> float:
    """A value that follows from the native string, higher with more convolutions."""
    gain = 4 * native.count("conv") + 2 * native.count("skip_connect") - native.count("none")
    return 50 + gain + zlib.crc32(native.encode()) % 10_000 / 1_000


def write_table(path: Path, natives: Iterable[str]) -> Path:
    """A table of made values as `cole ingest` takes it."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["native", "made_test_accuracy_200"])
        rows.writerows((native, f"{made_value(native):.3f}") for native in natives)
    return path


def observe_all(folder: Path) -> Observed:
    """Everything, each by its name in identities.json."""
    few, many = folder / "few", folder / "many"
    fill_few(few, folder)
    fill_many(many, folder)
    return {
        "samples": samples(folder / "samples"),
        "architectures": architectures(few),
        "texts": texts(few),
        "specifications": specifications(few),
        "settings": settings(),
        "trainings": trained(many),
        "comparisons": compared(many),
        "searches": searched(many),
    }


def fill_few(home: Path, folder: Path) -> None:
    """A few architectures of each space."""
    cole = cole_at(home)
    cole("ingest", "nasbench201", write_table(folder / "cells.csv", CELLS))
    cole("ingest", EINSPACE, write_table(folder / "networks.csv", networks()[:FEW]))


def fill_many(home: Path, folder: Path) -> None:
    """Enough architectures with values to train on and to search."""
    cole = cole_at(home)
    cole("ingest", "nasbench201", write_table(folder / "many_cells.csv", made_cells()))
    cole("ingest", EINSPACE, write_table(folder / "many_networks.csv", networks()))


def networks() -> list[str]:
    """The native strings of einspace that are kept beside this file."""
    return pl.read_csv(NETWORKS)["native"].to_list()


def samples(home: Path) -> Observed:
    """What a seed draws of each space, and whose architectures they are."""
    cole = cole_at(home)
    for space in ("nasbench201", EINSPACE, "einspace:3x16x16:4"):
        cole("enumerate", space, "--samples", 3, "--seed", 11)
    return {"architectures": _rows(home, _ARCHITECTURES)}


def architectures(home: Path) -> Observed:
    """Ids of fixed native strings."""
    return {"architectures": _rows(home, _ARCHITECTURES)}


_ARCHITECTURES = (
    "SELECT space, space_parameters, native, architecture_id, canonical_id FROM architectures "
    "ORDER BY space, space_parameters, position"
)


def texts(home: Path) -> Observed:
    """Hashes of what each encoding and context writes of them."""
    cole = cole_at(home)
    for space, encodings in TEXTS.items():
        for encoding, contexts in encodings.items():
            for context in contexts:
                cole("render", space, "--encoding", encoding, "--context", context)
    rows = Warehouse(home).sql(
        "SELECT architectures.space, encoding, context, text_hash "
        "FROM renderings JOIN architectures USING (architecture_id) "
        "ORDER BY architectures.space, encoding, context, position"
    )
    found: dict[str, list[str]] = {}
    for space, encoding, context, text_hash in rows.iter_rows():
        found.setdefault(f"{space} {encoding} {context}", []).append(text_hash)
    return found


def specifications(home: Path) -> Observed:
    """Ids of specifications, by the options that ask for them, and of watches on some."""
    cole = cole_at(home)
    found: Observed = {"watches": {}}
    for options in SPECIFICATIONS:
        summary = cole("watch", "add", "--lm", "minilm", *options.split())
        found[options] = summary["spec_id"]
        found["watches"][options] = summary["watch_id"]
    cole("render", "nasbench201", "--encoding", "arch_str")
    for options in EMBEDDED:
        arguments = ("--encoding", "arch_str", "--lm", "minilm", *options.split())
        found[options] = cole("embed", "nasbench201", *arguments)["spec_id"]
    found["causal"] = [specification_id(**CAUSAL | changes) for changes in CAUSAL_VARIANTS]
    return found


def settings() -> Observed:
    """Ids of settings of trainings and of proxies, in the order in which they stand above."""
    return {
        "trainings": [training_settings_id(each, DATASET_HASH) for each in TRAINING_SETTINGS],
        "proxies": [proxy_settings_id(each, DATASET_HASH) for each in PROXY_SETTINGS],
    }


def trained(home: Path) -> Observed:
    """Trials of `cole train`."""
    cole = cole_at(home)
    for options in TRAININGS:
        cole("train", "nasbench201", *VALUES, *options.split())
    return {"trials": _trials(home, "folds IS NULL")}


def compared(home: Path) -> Observed:
    """Trials of `cole compare predictors`, and its comparisons."""
    cole = cole_at(home)
    found: Observed = {}
    configurations = [word for each in COMPARED for word in ("--configuration", each)]
    for options in COMPARISONS:
        arguments = (*VALUES, *configurations, *options.split())
        found[options] = cole("compare", "predictors", *arguments)["comparison_id"]
    found["trials"] = _trials(home, "folds IS NOT NULL")
    return found


def _trials(home: Path, which: str) -> list[dict[str, Any]]:
    return _rows(
        home,
        "SELECT encoding, head, population, folds, n, draw, trial_id, configuration_id, "
        f"training_hash FROM trials WHERE {which} "
        "ORDER BY encoding, head, population, folds, n, draw",
    )


def searched(home: Path) -> Observed:
    """Comparisons of searches, and by configuration the searches with their first steps."""
    cole = cole_at(home)
    found: Observed = {}
    for space, configurations in SEARCHED.items():
        summary = cole(
            *("compare", "search", "--space", space, *VALUES),
            *(word for each in configurations for word in ("--configuration", each)),
            *("--first-seed", FIRST_SEED, "--seeds", SEEDS, "--budget", STEPS, "--processes", 1),
        )
        searches = {row["position"]: row for row in summary["rows"]}
        assert len(searches) == len(configurations)
        found[space] = {"comparison_id": summary["comparison_id"]}
        for position, configuration in enumerate(configurations):
            row = searches[position]
            found[space][configuration] = {
                "configuration_id": row["configuration_id"],
                "searches": [
                    {"search_id": search_id, "steps": steps(home, search_id)}
                    for search_id in row["search_ids"]
                ],
            }
    return found


def search_again(home: Path, options: str) -> Observed:
    """What `cole search` says of a search that a comparison ran."""
    arguments = (*VALUES, *options.split(), "--budget", STEPS, "--seed", FIRST_SEED)
    return cole_at(home)("search", "nasbench201", *arguments)


def steps(home: Path, search_id: str) -> list[Sequence[Any]]:
    """The native strings of a search in their order, with the values."""
    return [
        list(row)
        for row in Warehouse(home)
        .sql(f"SELECT native, value FROM searches WHERE search_id = '{search_id}' ORDER BY step")
        .iter_rows()
    ]


def _rows(home: Path, statement: str) -> list[dict[str, Any]]:
    return Warehouse(home).sql(statement).to_dicts()
