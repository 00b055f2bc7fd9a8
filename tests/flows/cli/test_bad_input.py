"""Bad input to every command: exit code 2, one line that names the value, nothing changed."""

import hashlib
import json
import os
import pickle
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from flows.cli.app import make_app
from tests.cole_core.language_models.handed_over import (
    WEIGHTS,
    adapter,
    cut,
    pointer,
    spoilt,
    weighing,
)
from tests.cole_core.language_models.zoo import make_model
from tests.flows.cli.commands import command_paths
from tests.flows.conftest import Cole, Small

CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|none~2|"
NB = "nasbench201"
HUGE = 10**30
LONG = "x" * 5_000
ESCAPE = "\x1b[2J\x1b]0;owned\x07"

FP32 = ("--precision", "fp32")
TRAIN = ("train", NB, "--dataset", "cifar10", *FP32)
SEARCH = ("search", NB, "--dataset", "cifar10", *FP32)
EMBED = ("embed", NB)
EVALUATE = ("evaluate", NB, "--dataset", "digits", "--limit", 1)
PREDICTORS = ("compare", "predictors", "--dataset", "cifar10", *FP32)
PUBLISHED = ("compare", "published", *FP32)
SEARCHES = ("compare", "search", "--dataset", "cifar10", *FP32)

SEARCH_TWO = (*SEARCH, "--objective", "accuracy")

# What to do about it: a clause of its own.
_DO = (
    r"(?:add|allow|ask|choose|convert|correct|draw|drop|fetch|find|give|keep|leave|make|merge|name|"
    r"raise|read|run|"
    r"save|see|take|train|use|write)\b"
)
REMEDY = re.compile(
    rf"(?:[:;,(]|\b(?:so|or|and))\s{_DO}|\bat (?:least|most) \d|: it takes none$|\bis due$"
)

# Name: (arguments, what the line names). {folder} is a folder with files that are no good;
# `--home` is added where no other is given.
CASES: dict[str, tuple[tuple[object, ...], str]] = {
    # the program itself
    "unknown command": (("sqll",), "sqll (did you mean sql?)"),
    "unknown option": (("status", "--colour"), "--colour"),
    "an option of another command": (("status", "--budget", 3), "--budget"),
    "too many arguments": (("report", NB, "more"), "more"),
    "no argument": (("enumerate",), "SPACE is missing"),
    "no required option": (("train", NB), "--dataset is missing"),
    "an option without its value": (("report", NB, "--home"), "the value of --home"),
    "NUL": (("sql", "SELECT '\0'"), "NUL"),
    "bytes that are no text": (("render", "\udcff"), "UTF-8"),
    "unknown comparison": (("compare", "models"), "models"),
    "completion in no shell": (("completion",), "SHELL is missing"),
    "completion in an unknown shell": (("completion", "tcsh"), "tcsh"),
    "models of an unknown model": (("models", "no-such-model"), "no-such-model"),
    "models of a file": (("models", "{folder}/file"), "folder/file is a file"),
    "models with an option": (("models", "--home", "x"), "--home"),
    "an option twice": (("render", NB, "--seed", 3, "--seed", 4), "--seed 4"),
    "a flag twice": (("status", "--json", "--json"), "--json"),
    "the beginning of an option": ((*TRAIN, "--epoch", 3), "--epoch (did you mean --epochs?)"),
    "an option with control characters": (("status", f"--{ESCAPE}"), "--\\x1b[2J"),
    "a command with control characters": ((ESCAPE,), "\\x1b[2J"),
    "a part of a request": (("best", "--measured.dataset", "cifar10"), "--measured.dataset"),
    "a request as JSON": (("best", '{"k": 3}'), '{"k": 3}'),
    "a flag that says no": (("status", "--no-json"), "--no-json"),
    "a flag that says maybe": (("best", "--canonical=maybe"), "--canonical maybe"),
    "a flag that says maybe, of a command": (("doctor", "--repair=maybe"), "--repair maybe"),
    "a number that is empty": (("best", "-k="), "-k ''"),
    "a place and its name": (("enumerate", NB, "--space", NB), NB),
    # the warehouse
    "home that is a file": (("status", "--home", "{folder}/file"), "is a file"),
    "home below a file": (("status", "--home", "{folder}/file/home"), "file/home"),
    "home that is not there": (("status", "--home", "{folder}/nowhere"), "no warehouse at"),
    "home that is empty": (("status", "--home", ""), "--home"),
    "nothing to explore": (("ui", "--home", "{folder}/nowhere"), "no warehouse at"),
    "a port that is none": (("ui", "--port", 65_536), "65536"),
    "home with a name too long": (("enumerate", NB, "--home", LONG), "xxx"),
    "home that may not be made": (("enumerate", NB, "--home", "/proc/home"), "/proc/home"),
    "home whose catalog is none": (("status", "--home", "{folder}/broken"), "broken"),
    "home with control characters": (("status", "--home", "{folder}/" + ESCAPE), "\\x1b[2J"),
    # spaces and architectures
    "run of an unknown space": (("run", "darts"), "darts"),
    "run from an unknown source": (("run", NB, "--source", "no-such"), "no-such"),
    "run that trains by a stored metric": (("run", "einspace", "--metric", "acc"), "--metric"),
    "run with an unknown model": (("run", NB, "--lm", "no-such-model"), "no-such-model"),
    "run with a wrong seed": (("run", NB, "--seed", "first"), "first"),
    "run on an unknown device": (("run", NB, "--device", "abacus"), "abacus"),
    "unknown space": (("enumerate", "darts"), "darts"),
    "space with control characters": (("enumerate", ESCAPE), "\\x1b[2J"),
    "space that is a path": (("enumerate", "../../etc"), "../../etc"),
    "space that is long": (("enumerate", LONG), "xxx"),
    "space with a line break": (("enumerate", "nas\nbench"), "nas"),
    "too many samples": (("enumerate", NB, "--samples", 20_000), "--samples 20000"),
    "no samples": (("enumerate", NB, "--samples", 0), "--samples 0"),
    "negative samples": (("enumerate", NB, "--samples", -5), "--samples -5"),
    "half a sample": (("enumerate", NB, "--samples", 2.5), "--samples 2.5"),
    "huge samples": (("enumerate", NB, "--samples", HUGE), str(HUGE)),
    "negative seed": (("enumerate", NB, "--samples", 3, "--seed", -1), "--seed -1"),
    "seed that is no number": (("enumerate", NB, "--seed", "a"), "--seed a"),
    "open space without samples": (("enumerate", "einspace"), "--samples"),
    # renderings
    "unknown encoding": (("render", NB, "--encoding", "code.short"), "code.short"),
    "structural encoding": (("render", NB, "--encoding", "path"), "path"),
    "unknown context": (("render", NB, "--context", "task"), "task"),
    "render more than there are": (("render", NB, "--samples", 61), "--samples 61"),
    "render none": (("render", NB, "--samples", 0), "--samples 0"),
    "render an unknown space": (("render", "darts"), "darts"),
    "encoding with SQL": (("render", NB, "--encoding", "x'; DROP TABLE y"), "DROP TABLE"),
    # embeddings
    "unknown model": ((*EMBED, "--lm", "no-such-model"), "no-such-model"),
    "model path that is not there": ((*EMBED, "--lm", "./nowhere"), "./nowhere"),
    "model path that is no model": ((*EMBED, "--lm", "{folder}"), "config.json"),
    "model of which half was fetched": ((*EMBED, "--lm", "{folder}/half"), "half a download"),
    "model that is a pointer": ((*EMBED, "--lm", "{folder}/pointer"), "git lfs pull"),
    "model that is an adapter": ((*EMBED, "--lm", "{folder}/adapter"), "merge_and_unload"),
    "model without a number": ((*EMBED, "--lm", "{folder}/no-number"), "not finite"),
    "model that lacks a layer": ((*EMBED, "--lm", "{folder}/no-layer"), "lacks"),
    "model in GGUF": ((*EMBED, "--lm", "{folder}/model.gguf"), "GGUF"),
    "run with a model without a number": (("run", NB, "--lm", "{folder}/no-number"), "not finite"),
    "model of pickles": ((*EMBED, "--lm", "{folder}/pickled"), "safetensors"),
    "model with code of its own": ((*EMBED, "--lm", "{folder}/own-code"), "trust_remote_code"),
    "model whose shard is elsewhere": ((*EMBED, "--lm", "{folder}/elsewhere"), "../"),
    "model whose config is none": ((*EMBED, "--lm", "{folder}/bad-config"), "config.json"),
    "model that needs its code": ((*EMBED, "--lm", "nomic-embed-code"), "nomic-embed-code"),
    "model with control characters": ((*EMBED, "--lm", ESCAPE), "\\x1b[2J"),
    "model that is a web address": ((*EMBED, "--lm", "https://127.0.0.1/m"), "https://"),
    "unknown pooling": ((*EMBED, "--pooling", "median"), "median"),
    "unknown precision": ((*EMBED, "--precision", "fp7"), "fp7"),
    "layer that is not there": ((*EMBED, "--layer", 99), "[99]"),
    "layer that is no number": ((*EMBED, "--layer", "last"), "--layer last"),
    "step of no layers": ((*EMBED, "--every", 0), "every 0"),
    "echo with an encoder": ((*EMBED, "--echo"), "echo"),
    "length of nothing": ((*EMBED, "--max-length", 0), "max_length 0"),
    "length that leaves no text": ((*EMBED, "--max-length", 3), "max_length 3"),
    "windows of nothing": ((*EMBED, "--window", 0), "windows of 0"),
    "negative windows": ((*EMBED, "--window", -5), "windows of -5"),
    "overlap of a whole window": ((*EMBED, "--window", 64, "--overlap", 64), "overlap 64"),
    "negative overlap": ((*EMBED, "--overlap", -1), "overlap -1"),
    "negative random weights": ((*EMBED, "--random-init", -1), "random_init -1"),
    "huge random weights": ((*EMBED, "--random-init", HUGE), str(HUGE)),
    "unknown device": ((*EMBED, *FP32, "--device", "abacus"), "abacus"),
    "unknown runner": ((*EMBED, "--runner", "slurm"), "--runner slurm"),
    "address of no cluster": ((*EMBED, "--address", "ray://h:1"), "--address"),
    "no workers": ((*EMBED, "--runner", "dask", "--workers", 0), "--workers 0"),
    "embed an unknown encoding": ((*EMBED, "--encoding", "code"), "'code'"),
    "embed a structural encoding": ((*EMBED, "--encoding", "graf"), "graf"),
    # accuracies
    "unknown source": (("ingest", NB, "no-such-benchmark"), "no-such-benchmark"),
    "source that is not there": (("ingest", NB, "{folder}/none.csv"), "none.csv"),
    "source that is empty": (("ingest", NB, "{folder}/file"), "folder/file"),
    "source that is a folder": (("ingest", NB, "{folder}"), "meta.pickle.pbz2"),
    "source that is a device": (("ingest", NB, "/dev/null"), "/dev/null"),
    "source of another space": (("ingest", "einspace", "{folder}/table.csv"), "table.csv"),
    "table of bytes": (("ingest", NB, "{folder}/bytes.csv"), "bytes.csv"),
    "table that is no Parquet": (("ingest", NB, "{folder}/bytes.parquet"), "bytes.parquet"),
    "table with a native string to fear": (("ingest", NB, "{folder}/fear.csv"), "fear.csv"),
    "pickle that runs a command": (("ingest", NB, "{folder}/evil.pth"), "system"),
    "name of the source missing": (("ingest", NB), "ORIGIN is missing"),
    "sources with an argument": (("sources", "mine.csv"), "mine.csv"),
    "sources of no warehouse": (("sources", "--home", "{folder}/nowhere"), "nowhere"),
    "forget nothing": (("forget",), "SOURCE is missing"),
    "forget an unknown source": (("forget", "table.csv", "--yes"), "'table.csv': choose one of"),
    "forget a path": (("forget", "{folder}/table.csv"), "folder/table.csv"),
    "forget with SQL": (("forget", "x'; DROP TABLE y", "--yes"), "DROP TABLE"),
    "forget with control characters": (("forget", ESCAPE, "--yes"), "\\x1b[2J"),
    # training on a dataset
    "evaluate an unknown space": (("evaluate", "darts", "--dataset", "digits"), "darts"),
    "evaluate on an unknown dataset": (("evaluate", NB, "--dataset", "svhn"), "svhn"),
    "dataset that is no arrays": (
        ("evaluate", NB, "--dataset", "{folder}/bytes.npz", "--limit", 1),
        "bytes.npz",
    ),
    "dataset of pickles": (
        ("evaluate", NB, "--dataset", "{folder}/objects.npz", "--limit", 1),
        "objects",
    ),
    "no epochs": ((*EVALUATE, "--epochs", 0), "epochs = 0"),
    "unknown optimizer": ((*EVALUATE, "--optimizer", "lion"), "lion"),
    "learning rate of nothing": ((*EVALUATE, "--learning-rate", 0), "learning rate 0"),
    "learning rate that is none": ((*EVALUATE, "--learning-rate", "nan"), "learning rate nan"),
    "unknown augmentation": ((*EVALUATE, "--augmentation", "mixup"), "mixup"),
    "no batch": ((*EVALUATE, "--batch-size", 0), "batch size = 0"),
    "no processes": ((*EVALUATE, "--workers", 0), "--workers 0"),
    "networks on an unknown runner": ((*EVALUATE, "--runner", "slurm"), "--runner slurm"),
    "networks on a cluster that nobody started": (
        (*EVALUATE, "--runner", "ray", "--address", "127.0.0.1:9"),
        "--address 127.0.0.1:9: nobody answers there",
    ),
    "networks on a scheduler that nobody started": (
        (*EVALUATE, "--runner", "dask", "--address", "tcp://127.0.0.1:9"),
        "--address tcp://127.0.0.1:9: nobody answers there",
    ),
    "networks at an address without a port": (
        (*EVALUATE, "--runner", "ray", "--address", "ray://127.0.0.1"),
        "give host and port",
    ),
    "GPUs of this machine": ((*EVALUATE, "--gpus-per-network", 0.25), "--gpus-per-network 0.25"),
    "GPUs of Dask": (
        (*EVALUATE, "--runner", "dask", "--gpus-per-network", 0.25),
        "--gpus-per-network 0.25 is for a Ray cluster",
    ),
    "GPUs and a half": (
        (*EVALUATE, "--runner", "ray", "--gpus-per-network", 1.5),
        "give a share of one, or a whole number",
    ),
    "GPUs for the processor": (
        (*EVALUATE, "--runner", "ray", "--gpus-per-network", 1, "--device", "cpu"),
        "--device cpu",
    ),
    "no time": ((*EVALUATE, "--time-limit", 0), "limits of 0.0 s"),
    "evaluate none": (("evaluate", NB, "--dataset", "digits", "--limit", 0), "--limit 0"),
    "evaluate nothing": ((*EVALUATE, "--no-train"), "--proxies"),
    "proxies of an unknown space": (("proxies", "darts"), "darts"),
    "proxies of one image": (("proxies", NB, "--images", 1), "--images 1"),
    "proxies of no channels": (("proxies", NB, "--channels", 0), "channels and cells, 1 or more"),
    "proxies without processes": (("proxies", NB, "--workers", 0), "--workers 0"),
    "size of noise": (("proxies", NB, "--size", 9), "--size 9 is for a dataset"),
    "proxies that nobody computed": (
        (*TRAIN, "--encoding", "code.bare+proxies"),
        "proxies are missing: make them with: cole proxies nasbench201",
    ),
    "proxies of an unknown source": (
        (*TRAIN, "--encoding", "proxies:mine"),
        "source 'mine' has no proxies of nasbench201: make some with: cole proxies",
    ),
    # heads
    "unknown head": ((*TRAIN, "--head", "forest"), "forest"),
    "unknown loss": ((*TRAIN, "-n", 20, "--head", "mlp", "--loss", "l7"), "l7"),
    "unknown member of a committee": (
        (*TRAIN, "-n", 20, "--head", "committee", "--head-parameter", 'members=["forest"]'),
        "forest",
    ),
    "loss of another head": ((*TRAIN, "-n", 20, "--loss", "hinge"), "hinge"),
    "n larger than the pool": ((*TRAIN, "-n", 55), "-n 55"),
    "n too small": ((*TRAIN, "-n", 1), "-n 1"),
    "n that is negative": ((*TRAIN, "-n", -20), "-n -20"),
    "n that is no number": ((*TRAIN, "-n", "some"), "-n some"),
    "no draws": ((*TRAIN, "-n", 20, "--draws", 0), "--draws 0"),
    "huge seed": ((*TRAIN, "-n", 20, "--seed", HUGE), str(HUGE)),
    "unknown dataset": (("train", NB, "--dataset", "svhn", *FP32), "svhn"),
    "dataset with SQL": (("train", NB, "--dataset", "' OR 1=1 --", *FP32), "OR 1=1"),
    "unknown metric": ((*TRAIN, "--metric", "latency"), "latency"),
    "unknown split": ((*TRAIN, "--split", "dev"), "split dev"),
    "dataset with control characters": (
        ("train", NB, "--dataset", ESCAPE, *FP32),
        "dataset \\x1b[2J",
    ),
    "head with control characters": ((*TRAIN, "--head", ESCAPE), "'\\x1b[2J"),
    "numbers with control characters": ((*TRAIN, "-n", ESCAPE), "-n \\x1b[2J"),
    "parameter of a head that is no pair": (
        (*TRAIN, "--head-parameter", "members"),
        "--head-parameter 'members'",
    ),
    "parameter of a head that it has not": (
        (*TRAIN, "--head-parameter", "colour=red"),
        "'colour'",
    ),
    "parameter of a head that is no number": (
        (*TRAIN, "--head", "mlp", "--head-parameter", "epochs=many"),
        "epochs is 'many'",
    ),
    "parameter of a head that is no list": (
        (*TRAIN, "--head-parameter", "lengthscale_prior=0.5"),
        "lengthscale_prior is 0.5",
    ),
    "parameter of a head whose list is short": (
        (*TRAIN, "--head-parameter", "lengthscale_prior=[0.5]"),
        "lengthscale_prior is [0.5]",
    ),
    "parameter of a head that is nothing": (
        (*TRAIN, "--head-parameter", "max_iterations=null"),
        "max_iterations is None",
    ),
    "parameter of a surrogate that is no number": (
        (*TRAIN, "--head-parameter", "n_components=some"),
        "n_components is 'some'",
    ),
    "a head that learns from an unknown task": (
        (*TRAIN, "-n", 20, "--transfer", "imagenet"),
        "--transfer imagenet",
    ),
    "a head that learns from its own task": (
        (*TRAIN, "-n", 20, "--transfer", "cifar10"),
        "--transfer cifar10",
    ),
    "a head that learns from a task of an unknown space": (
        (*TRAIN, "-n", 20, "--transfer", "darts/cifar10"),
        "darts",
    ),
    "a head that learns from its own space by name": (
        (*TRAIN, "-n", 20, "--transfer", "nasbench201/cifar100"),
        "--transfer nasbench201/cifar100",
    ),
    "a head that learns from a space without vectors": (
        (*TRAIN, "-n", 20, "--transfer", "nasbenchgraph/cora"),
        "nasbenchgraph has no vectors of code.bare",
    ),
    "a head on a structural encoding that learns from another space": (
        (*TRAIN, "-n", 20, "--encoding", "graf", "--transfer", "nasbenchgraph/cora"),
        "vectors of graf",
    ),
    "a search that learns from a space without vectors": (
        (*SEARCH, "--budget", 10, "--transfer", "nasbenchgraph/cora"),
        "nasbenchgraph has no vectors of code.bare",
    ),
    "a comparison of heads that learn from an unknown task": (
        (*PREDICTORS, "--encoding", "graf", "--transfer", "imagenet"),
        "--transfer imagenet",
    ),
    "a comparison of heads with nothing to learn from": (
        (*PREDICTORS, "--encoding", "graf", "--transfer", "auto"),
        "--transfer auto",
    ),
    "a comparison of searches that learn from an unknown task": (
        (*SEARCHES, "--transfer", "imagenet"),
        "--transfer imagenet",
    ),
    "a comparison of searches with nothing to learn from": (
        (*SEARCHES, "--transfer", "auto"),
        "--transfer auto",
    ),
    "published figures beside a search that learns from other tasks": (
        (*PUBLISHED, "-c", "transfer=auto"),
        "transfer=auto",
    ),
    "a comparison of spaces where there is but one": (
        ("compare", "predictors", "transfer_spaces", "--dataset", "cifar10", *FP32),
        "vectors of 'code.bare'",
    ),
    "two sizes behind one option": ((*TRAIN, "-n", 14, 20), "20"),
    "unknown epochs": ((*TRAIN, "--epochs", 7), "epochs 7"),
    "huge epochs": ((*TRAIN, "--epochs", HUGE), str(HUGE)),
    "unknown values' source": ((*TRAIN, "--source", "hearsay"), "hearsay"),
    "embedding that was not made": ((*TRAIN, "--pooling", "cls"), "cole embed"),
    "encoding that was not rendered": ((*TRAIN, "--encoding", "arch_str"), "cole render"),
    # searches
    "unknown algorithm": ((*SEARCH, "--algorithm", "gradient"), "gradient"),
    "unknown acquisition": ((*SEARCH, "--acquisition", "luck"), "luck"),
    "unknown candidates": ((*SEARCH, "--candidates", "all"), "'all'"),
    "unknown head of a search": ((*SEARCH, "--head", "forest"), "forest"),
    "budget above the pool": ((*SEARCH, "--budget", 1000), "--budget 1000"),
    "budget that is no number": ((*SEARCH, "--budget", "many"), "--budget many"),
    "budget with an equals sign": ((*SEARCH, "--budget=many"), "--budget many"),
    "no budget": ((*SEARCH, "--budget", 0), "--budget 0"),
    "negative budget": ((*SEARCH, "--budget", -1), "--budget -1"),
    "no beginning": ((*SEARCH, "--budget", 10, "--initial", 0), "initial = 0"),
    "no batch of a search": ((*SEARCH, "--budget", 10, "--batch", 0), "batch = 0"),
    "huge seed of a search": ((*SEARCH, "--budget", 10, "--seed", HUGE), str(HUGE)),
    "option of another algorithm": (
        (*SEARCH, "--algorithm", "random_search", "--budget", 10, "--batch", 5),
        "random_search",
    ),
    "search for nothing": (("search", NB, *FP32), "--dataset is missing"),
    "search by training on nothing": (("search", NB, "--train"), "--dataset is missing"),
    "search by training on an unknown dataset": (
        ("search", NB, "--train", "--dataset", "svhn"),
        "svhn",
    ),
    "search by training for a metric": (
        ("search", NB, "--train", "--dataset", "digits", "--metric", "accuracy"),
        "--metric accuracy",
    ),
    "search by training of a source": (
        ("search", NB, "--train", "--dataset", "digits", "--source", "mine.csv"),
        "--source mine.csv",
    ),
    "channels of no network": ((*SEARCH, "--channels", 8), "--channels 8"),
    "seconds of no network": ((*SEARCH, "--time-limit", 20.5), "--time-limit 20.5"),
    "processes of no network": ((*SEARCH, "--workers", 3), "--workers 3"),
    "cluster of no network": ((*SEARCH, "--runner", "ray"), "--runner ray"),
    "GPUs of no network": ((*SEARCH, "--gpus-per-network", 0.5), "--gpus-per-network 0.5"),
    "asynchronous without networks": ((*SEARCH, "--asynchronous"), "--asynchronous"),
    "seed of no training": ((*SEARCH, "--training-seed", 8), "--training-seed 8"),
    "parameter that is no pair": ((*SEARCH, "--parameter", "edits"), "--parameter 'edits'"),
    "parameter of an algorithm that is no number": (
        (*SEARCH, "--algorithm", "regularized_evolution", "--parameter", "population=x"),
        "population is 'x'",
    ),
    "parameter of an acquisition that is no number": (
        (*SEARCH, "--parameter", "beta=x"),
        "beta is 'x'",
    ),
    "parameter of a search's surrogate that is no number": (
        (*SEARCH, "--parameter", "n_components=x"),
        "n_components is 'x'",
    ),
    "algorithm with control characters": ((*SEARCH, "--algorithm", ESCAPE), "'\\x1b[2J"),
    "search in an unknown space": (("search", "darts", "--dataset", "cifar10"), "darts"),
    # reports
    "report of an unknown space": (("report", "darts"), "darts"),
    "report on an unknown dataset": (("report", NB, "--dataset", "svhn"), "svhn"),
    "report on a path": (("report", NB, "--dataset", "../../x"), "../../x"),
    # SQL
    "SQL that is none": (("sql", "SELEC 1"), "SELEC"),
    "SQL that is empty": (("sql", ""), "single query"),
    "SQL that writes": (("sql", "DROP VIEW runs"), "DROP VIEW runs"),
    "SQL that reads files": (("sql", "SELECT * FROM '/etc/hostname'"), "/etc/hostname"),
    "SQL that reads files by a function": (
        ("sql", "FROM read_text('/etc/hostname')"),
        "read_text",
    ),
    "SQL that writes files": (("sql", "COPY runs TO '{folder}/out.csv'"), "COPY"),
    "SQL that attaches": (("sql", "ATTACH '{folder}/a.db'"), "ATTACH"),
    "SQL that installs": (("sql", "INSTALL httpfs"), "INSTALL"),
    "SQL that sets": (("sql", "SET enable_external_access = true"), "SET"),
    "two statements": (("sql", "SELECT 1; SELECT 2"), "SELECT 2"),
    "SQL with control characters": (("sql", f"SELECT '{ESCAPE}' FROM nowhere"), "nowhere"),
    "SQL that is long": (("sql", "SELECT " + "1+" * 30_000 + "a"), "SELECT 1+1"),
    "SQL of an unknown column": (("sql", "SELECT colour FROM runs"), "colour"),
    "SQL that fails": (("sql", "SELECT 'a'::INT"), "'a'"),
    "unknown format": (("sql", "SELECT 1", "--format", "xlsx"), "--format xlsx"),
    "two formats": (("sql", "SELECT 1", "--format", "csv", "--json"), "--json"),
    "Parquet on a terminal": (("sql", "SELECT 1", "--format", "parquet"), "--output"),
    "table in a file": (
        ("sql", "SELECT 1", "--format", "table", "--output", "{folder}/a"),
        "--format table",
    ),
    "output of an unknown kind": (("sql", "SELECT 1", "--output", "{folder}/a.xlsx"), "a.xlsx"),
    "output into the warehouse": (
        ("sql", "SELECT 1", "--output", "{home}/catalog.duckdb", "--format", "csv"),
        "catalog.duckdb",
    ),
    "output into the warehouse by another way": (
        ("sql", "SELECT 1", "--output", "{folder}/../home/./a.csv"),
        "a.csv",
    ),
    "output that is a folder": (("sql", "SELECT 1", "--output", "{folder}/d.csv"), "d.csv"),
    "output in no folder": (("sql", "SELECT 1", "--output", "{folder}/no/a.csv"), "no/a.csv"),
    "output that may not be": (("sql", "SELECT 1", "--output", "/proc/a.csv"), "/proc/a.csv"),
    "unknown view": (("schema", "views"), "views"),
    "view with SQL": (("schema", "runs; DROP VIEW runs"), "DROP VIEW"),
    # neighbours
    "malformed native string": (("similar", "|nor_conv_3x3~0|"), "|nor_conv_3x3~0|"),
    "unknown operation": (("similar", CELL.replace("none", "conv_7x7")), "conv_7x7"),
    "edge to a later node": (("similar", CELL.replace("none~2", "none~3")), "none~3"),
    "native string with code": (("similar", CELL + "__import__('os')"), "__import__"),
    "derivation that is none": (
        ("similar", "sequential(nonsense, more nonsense)", "--space", "einspace"),
        "nonsense",
    ),
    "nothing to look for": (("similar", "  "), "empty"),
    "text that is one word": (("similar", "convolution"), "convolution"),
    "id that is not stored": (("similar", "0123456789abcdef"), "0123456789abcdef"),
    "file that is not there": (("similar", "{folder}/none.py"), "none.py"),
    "file that is a folder": (("similar", "{folder}/d.py"), "d.py"),
    "file that is no Python": (("similar", "{folder}/broken.py"), "broken.py"),
    "file that is no text": (("similar", "{folder}/bytes.py"), "bytes.py"),
    "file without a class": (("similar", "{folder}/empty.py"), "empty.py"),
    "file of two networks": (("similar", "{folder}/two.py"), "--class"),
    "file without that class": (("similar", "{folder}/two.py", "--class", "C"), "class C"),
    "file that is nested too deeply": (("similar", "{folder}/deep.py"), "deep.py"),
    "file that is too large": (("similar", "{folder}/large.py"), "large.py"),
    "class of no file": (("similar", CELL, "--class", "Cell"), "--class Cell"),
    "no neighbours": (("similar", CELL, "-k", 0), "-k 0"),
    "too many neighbours": (("similar", CELL, "-k", HUGE), str(HUGE)),
    "neighbours in an unknown space": (("similar", CELL, "--space", "darts"), "darts"),
    "neighbours by a structural encoding": (("similar", CELL, "--encoding", "path"), "path"),
    "neighbours by an unknown model": (("similar", CELL, "--lm", "bert"), "bert"),
    "neighbours by another context": (("similar", CELL, "--context", "task"), "task"),
    "condition that is none": (("similar", CELL, "--where", "cifar10 >"), "cifar10 >"),
    "condition on an unknown column": (("similar", CELL, "--where", "svhn > 3"), "svhn"),
    "condition that is two": (("similar", CELL, "--where", "true; DROP VIEW runs"), "DROP VIEW"),
    "condition that reads files": (
        ("similar", CELL, "--where", "EXISTS (FROM read_text('/etc/hostname'))"),
        "read_text",
    ),
    "condition that breaks out": (
        ("similar", CELL, "--where", "true) UNION SELECT (1"),
        "UNION",
    ),
    "similar on an unknown dataset": (("similar", CELL, "--dataset", "svhn"), "svhn"),
    # the best
    "show of a malformed native string": (("show", "|nor_conv_3x3~0|"), "|nor_conv_3x3~0|"),
    "show of an id that is not stored": (("show", "0123456789abcdef"), "0123456789abcdef"),
    "show in a notation that is none": (("show", CELL, "--notation", "morse"), "morse"),
    "show into a folder": (("show", CELL, "--output", "{folder}"), "--output"),
    "no best": (("best", "-k", 0), "-k 0"),
    "best of an unknown space": (("best", "--space", "darts"), "darts"),
    "best on an unknown dataset": (("best", "--dataset", "svhn"), "svhn"),
    "best of a head that is not there": (("best", "--predicted"), "cole train"),
    "best by an unknown head": (("best", "--predicted", "--head", "zz"), "zz"),
    "head without a prediction": (("best", "--head", "ab"), "--predicted"),
    "best after unknown epochs": (("best", "--epochs", HUGE), str(HUGE)),
    "front of one objective": (("best", "--objective", "accuracy"), "--objective accuracy"),
    "front of one objective twice": (
        ("best", "--objective", "accuracy", "--objective", "accuracy:max"),
        "--objective accuracy",
    ),
    "objective that is not there": (
        ("best", "--objective", "accuracy", "--objective", "speed:max"),
        "--objective speed",
    ),
    "objective the wrong way": (
        ("best", "--objective", "accuracy:min", "--objective", "parameters"),
        "accuracy:min",
    ),
    "objective that is none": (
        ("best", "--objective", "accuracy", "--objective", "parameters:small"),
        "parameters:small",
    ),
    "objective that no head predicts": (
        ("best", "--objective", "parameters", "--objective", "predicted_accuracy"),
        "cole train",
    ),
    "objectives by a head": (
        ("best", "--predicted", "--objective", "accuracy", "--objective", "parameters"),
        "--predicted",
    ),
    "best that nothing fits": (("best", "--where", "parameters < 0"), "parameters < 0"),
    "best that fits what is no condition": (("best", "--where", "parameters"), "parameters"),
    "best on an unknown column": (("best", "--where", "svhn > 3"), "svhn"),
    "search that nothing fits": (
        (*SEARCH, "--where", "cifar10 > 101"),
        "cifar10 > 101",
    ),
    "search for an objective that is not there": (
        (*SEARCH_TWO, "--objective", "pixel3_latency:min"),
        "--objective pixel3_latency",
    ),
    "search for what needs no evaluation": (
        (*SEARCH, "--objective", "parameters"),
        "--objective parameters",
    ),
    "search for several by one that looks at one": (
        (*SEARCH_TWO, "--objective", "parameters", "--algorithm", "local_search"),
        "local_search",
    ),
    "search for a metric and objectives": (
        (*SEARCH_TWO, "--objective", "parameters", "--metric", "accuracy"),
        "--metric accuracy",
    ),
    "reference of no objective": (
        (*SEARCH_TWO, "--objective", "parameters", "--reference", "speed=3"),
        "--reference speed",
    ),
    "reference that is no number": (
        (*SEARCH_TWO, "--objective", "parameters", "--reference", "accuracy=good"),
        "accuracy=good",
    ),
    "search by training for objectives": (
        ("search", NB, "--train", "--dataset", "digits", "--objective", "accuracy"),
        "--objective accuracy",
    ),
    # comparisons
    "unknown experiment": ((*PREDICTORS[:2], "everything"), "everything"),
    "comparison of one": ((*PREDICTORS, "--encoding", "code.expression"), "two or more"),
    "comparison that is no pair": ((*PREDICTORS, "-c", "encoding"), "'encoding' is not name=value"),
    "comparison of an unknown kind": ((*PREDICTORS, "-c", "colour=red"), "colour"),
    "comparison in an unknown space": (
        (*PREDICTORS, "--space", "darts", "--encoding", "path", "--encoding", "graf"),
        "darts",
    ),
    "comparison with one fold": (
        (*PREDICTORS, "--encoding", "path", "--encoding", "graf", "-n", 20, "--folds", 1),
        "--folds 1 ",
    ),
    "comparison with no repeats": (
        (*PREDICTORS, "--encoding", "path", "--encoding", "graf", "-n", 20, "--repeats", 0),
        "--repeats 0",
    ),
    "comparison of too many": (
        (*PREDICTORS, "--encoding", "path", "--encoding", "graf", "-n", 5_000),
        "-n 5000",
    ),
    "comparison of no components": (
        (*PREDICTORS, "--encoding", "path", "--encoding", "graf", "--components", 0),
        "--components 0",
    ),
    "unknown search experiment": ((*SEARCHES[:2], "everything"), "everything"),
    "search comparison of one": ((*SEARCHES, "-c", "encoding=path", "--budget", 20), "two or more"),
    "search comparison of an unknown kind": (
        (*SEARCHES, "-c", "encoding=path", "-c", "colour=red"),
        "colour",
    ),
    "search comparison of a parameter that is no number": (
        (*SEARCHES, "-c", "encoding=path", "-c", "encoding=path,batch=many"),
        "batch is 'many'",
    ),
    "search comparison with control characters": (
        (*SEARCHES, "-c", "encoding=path", "-c", f"algorithm={ESCAPE}"),
        "'\\x1b[2J",
    ),
    "search comparison in half a process": (
        (*SEARCHES, "-c", "encoding=path", "-c", "encoding=graf", "--processes", 0.5),
        "--processes 0.5",
    ),
    "search comparison without seeds": (
        (*SEARCHES, "-c", "encoding=path", "-c", "encoding=graf", "--seeds", 0),
        "--seeds 0",
    ),
    "search comparison above the pool": (
        (*SEARCHES, "-c", "encoding=path", "-c", "encoding=graf", "--budget", 900),
        "--budget 900",
    ),
    "threshold above the best": (
        (*SEARCHES, "-c", "encoding=path", "-c", "encoding=graf", "--percent", 500),
        "--percent 500",
    ),
    "published figures by an unknown protocol": ((*PUBLISHED, "by-hand"), "'by-hand'"),
    "published figures of a space without": ((*PUBLISHED, "--space", "einspace"), "einspace"),
    "published figures of an unknown space": ((*PUBLISHED, "--space", "darts"), "darts"),
    "published figures without values": (
        (*PUBLISHED, "random-cells", "--encoding", "graf"),
        "a column cifar10_valid_accuracy_200",
    ),
    "published figures on a table without the column": (
        (*PUBLISHED, "--encoding", "graf", "--table", "{folder}/latency.csv"),
        "latency.csv holds nothing",
    ),
    "published figures on too few rows": (
        (*PUBLISHED, "--encoding", "graf", "--table", "{folder}/table.csv"),
        "of 1 architectures",
    ),
    "published figures on a table that is not understood": (
        (*PUBLISHED, "--encoding", "graf", "--table", "{folder}/unclear.csv"),
        "unclear.csv' first",
    ),
    "published figures on no table": ((*PUBLISHED, "--table", "{folder}/nowhere.csv"), "nowhere"),
    "published figures of an unknown head": ((*PUBLISHED, "--head", "oracle"), "oracle"),
    "published figures of an unknown parameter": (
        (*PUBLISHED, "--head-parameter", "depth=3"),
        "depth",
    ),
    "published figures of an unknown encoding": ((*PUBLISHED, "--encoding", "haiku"), "haiku"),
    "published figures of an unknown search": ((*PUBLISHED, "-c", "algorithm=luck"), "luck"),
    "published figures without draws": ((*PUBLISHED, "--draws", 0), "--draws 0"),
    "published figures of one seed": ((*PUBLISHED, "--seeds", 1), "--seeds 1"),
    "published figures into a folder": ((*PUBLISHED, "--output", "{folder}"), "--output"),
    # upkeep
    "export into what is there": (("export", "{folder}"), "folder is there already"),
    "export into the warehouse": (("export", "{home}/out"), "home/out"),
    "export of a query that writes": (
        ("export", "{folder}/out.parquet", "--query", "DROP VIEW runs"),
        "DROP VIEW",
    ),
    "export of a query that reads files": (
        ("export", "{folder}/out.parquet", "--query", "FROM read_text('/etc/hostname')"),
        "read_text",
    ),
    "export of no query": (("export", "{folder}/out.parquet"), "out.parquet is a file"),
    "import of nothing": (("import", "{folder}/nowhere"), "folder/nowhere"),
    "import of what is no export": (("import", "{folder}"), "folder is no export"),
    "import of a file": (("import", "{folder}/file"), "folder/file"),
    "import with a path out of it": (("import", "{folder}/leaving"), "'../file'"),
    "backup into the warehouse": (("backup", "{home}/backups"), "home/backups"),
    "backup over a file": (("backup", "{folder}/file"), "folder/file"),
    "backup that keeps many": (("backup", "{folder}/b", "--keep", "many"), "--keep many"),
    "backup that keeps none": (("backup", "{folder}/b", "--keep", 0), "--keep 0"),
    "optimize an unknown thing": (("optimize", "everything"), "everything"),
    "watch an unknown model": (("watch", "add", "--lm", "no-such-model"), "no-such-model"),
    "watch a model of pickles": (("watch", "add", "--lm", "{folder}/pickled"), "safetensors"),
    "watch an unknown space": (
        ("watch", "add", "--lm", "minilm", "--space", "darts"),
        "darts",
    ),
    "watch an unknown encoding": (
        ("watch", "add", "--lm", "minilm", "--space", NB, "--encoding", "code"),
        "'code'",
    ),
    "watch an unknown precision": (
        ("watch", "add", "--lm", "minilm", "--precision", "fp7"),
        "fp7",
    ),
    "watch on an unknown device": (
        ("watch", "add", "--lm", "minilm", "--device", "abacus"),
        "abacus",
    ),
    "watch no more what is not watched": (("watch", "remove", "minilm"), "minilm"),
    "watches of no warehouse": (
        ("watch", "list", "--home", "{folder}/nowhere"),
        "no warehouse at",
    ),
    "unknown command of watch": (("watch", "clear"), "clear"),
    "deploy with copies that go nowhere": (("deploy", "--backup", "never"), "--backups FOLDER"),
    "deploy on no port": (("deploy", "--port", 0), "--port 0"),
    "deploy an unknown experiment": (("deploy", "--experiment", "everything"), "everything"),
    "deploy at no time": (("deploy", "--embeddings", "sometimes"), "'sometimes'"),
    "deploy at an impossible time": (("deploy", "--comparison", "99 * * * *"), "'99 * * * *'"),
    "deploy that keeps none": (("deploy", "--keep", 0), "--keep 0"),
    "deploy of no warehouse": (("deploy", "--home", "{folder}/nowhere"), "no warehouse"),
    "doctor with an unknown option": (("doctor", "--heal-all"), "--heal-all"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, made: Small) -> Path:
    """A folder of files that are no good; beside it a warehouse that nothing may change."""
    folder = tmp_path_factory.mktemp("bad") / "folder"
    shutil.copytree(made.home, folder.parent / "home")
    (folder / "d.py").mkdir(parents=True)
    (folder / "d.csv").mkdir()
    (folder / "broken").mkdir()
    (folder / "broken" / "catalog.duckdb").write_bytes(b"not a catalog" * 1_000)
    noise = np.random.default_rng(0).bytes(3_000)
    for name in ("bytes.csv", "bytes.parquet", "bytes.npz", "bytes.py"):
        (folder / name).write_bytes(noise)
    texts = {
        "file": "mine",
        "table.csv": f"arch_str,cifar10_test_accuracy_200\n{CELL},90\n",
        "latency.csv": f"arch_str,cifar10_pixel3_latency\n{CELL},3\n",
        "unclear.csv": f"arch_str,cifar10_test_accuracy_200,how_good\n{CELL},90,3\n",
        "fear.csv": f'arch_str,cifar10_test_accuracy_200\n"{CELL};import os{ESCAPE}",90\n',
        "broken.py": "class A(nn.Module:\n    pass\n",
        "empty.py": "import torch\n",
        "two.py": "class A(nn.Module): pass\nclass B(nn.Module): pass\n",
        "deep.py": "class A(nn.Module):\n    x = " + "(" * 5_000 + ")" * 5_000 + "\n",
        "large.py": "class A(nn.Module): pass\n" + "#" * 2_000_000,
    }
    for name, content in texts.items():
        (folder / name).write_text(content)
    with (folder / "evil.pth").open("wb") as file:
        pickle.dump(Evil(folder / "ran"), file)
    parts = [f"{part}_{kind}" for part in ("train", "valid", "test") for kind in "xy"]
    evil = np.array([Evil(folder / "ran")], object)
    np.savez(folder / "objects.npz", **dict.fromkeys(parts, evil))
    for name, config, files in (
        ("pickled", {"model_type": "bert"}, ("pytorch_model.bin",)),
        ("own-code", {"model_type": "mine", "auto_map": {"AutoModel": "m.M"}}, ("m.py",)),
        ("elsewhere", {"model_type": "bert"}, ()),
    ):
        model = folder / name
        model.mkdir()
        sizes = {"hidden_size": 8, "num_hidden_layers": 1, "max_position_embeddings": 64}
        (model / "config.json").write_text(json.dumps(config | sizes))
        (model / "tokenizer.json").write_text("{}")
        for file_name in files:
            (model / file_name).write_text("raise SystemExit('this was run')")
    (folder / "own-code" / "model.safetensors").write_bytes(b"")
    (folder / "bad-config").mkdir()
    (folder / "bad-config" / "config.json").write_text("{")
    index = {"weight_map": {"a": "../elsewhere.safetensors"}}
    (folder / "elsewhere" / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "elsewhere.safetensors").write_bytes(b"")
    make_models(folder)
    (folder / "leaving").mkdir()
    manifest = {
        "format": "cole-export-1",
        "schema_version": 1,
        "query": None,
        "files": [{"path": "../file", "size": 4, "sha256": "0" * 64}],
    }
    (folder / "leaving" / "manifest.json").write_text(json.dumps(manifest))
    return folder


def make_models(folder: Path) -> None:
    """Language models that are damaged, or none; `tests/cole_core/language_models` has more."""
    whole = {kind: make_model(kind, folder.parent / kind) for kind in ("bert", "gpt2")}
    for kind, name, change in (
        ("bert", "half", cut(WEIGHTS)),
        ("bert", "pointer", pointer(WEIGHTS)),
        ("gpt2", "no-number", weighing(spoilt("h.0.mlp.c_fc.weight"))),
        ("gpt2", "no-layer", weighing(lambda tensors: tensors.pop("h.0.mlp.c_fc.weight"))),
    ):
        change(shutil.copytree(whole[kind], folder / name))
    adapter(whole, folder)
    (folder / "model.gguf").write_bytes(b"GGUF")


class Evil:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch {self.path}",)


def contents(folder: Path) -> dict[str, str]:
    """Hashes of all files below a folder's parent; the warehouse is one of its folders."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.parent.rglob("*"))
        if path.is_file() and path.name != "writer.lock"
    }


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_one_line_and_changes_nothing(cole: Cole, folder: Path, name: str) -> None:
    home = folder.parent / "home"
    given, named = CASES[name]
    arguments = [
        argument.replace("{folder}", str(folder)).replace("{home}", str(home))
        if isinstance(argument, str)
        else argument
        for argument in given
    ]
    if "--home" not in arguments and arguments[0] not in {"completion", "models"}:
        arguments += ["--home", home]
    before = contents(folder)
    code, out, err = cole(*arguments)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert len(err) < 1_100
    assert named in err
    assert err.isascii() or err.rstrip("\n").isprintable()
    assert "\x1b" not in err
    assert REMEDY.search(err.split(": ", 1)[1]), err
    assert contents(folder) == before
    assert not (folder / "ran").exists()


def test_every_command_has_cases() -> None:
    given = {tuple(map(str, arguments[:2])) for arguments, _ in CASES.values()}
    assert len(CASES) >= 270
    for path in command_paths(make_app()):
        assert path in given or (len(path) == 1 and path[0] in {first for first, *_ in given})


@pytest.mark.parametrize(
    "message",
    [
        "no space to use for the run",
        "--budget many is not a number",
        "the name of the file cannot be read: it is a list of what to take",
        "unknown head 'forest', which nobody did train",
    ],
)
def test_a_line_that_says_only_what_is_wrong_has_no_remedy(message: str) -> None:
    assert not REMEDY.search(message)


def test_the_warehouse_is_as_it_was(cole: Cole, folder: Path, made: Small) -> None:
    """After all of the above: the same answer of `cole status`."""
    answers = []
    for home in (folder.parent / "home", made.home):
        code, out, _ = cole("status", "--home", home, "--json")
        assert code == 0
        answers.append({k: v for k, v in json.loads(out).items() if k != "home"})
    assert answers[0] == answers[1]
