"""Named lists of what `cole compare predictors` compares, written in the roles of a space."""

import polars as pl
import pytest

from cole_core.encodings import TextEncoding
from cole_core.errors import InputError
from cole_core.experiments.predictors import (
    EXPERIMENTS,
    AtHand,
    Configuration,
    describe,
    labels,
    make_experiment,
    parse_configuration,
)
from cole_core.spaces import get_space, spaces

BASE = Configuration()


def at_hand(*rows: tuple[str, str, str, int | None]) -> AtHand:
    """Specifications by language model, pooling, precision and seed of random weights."""
    columns = ["language_model", "pooling", "precision", "random_init"]
    types = {"random_init": pl.Int64}
    held = pl.DataFrame(rows, schema=columns, orient="row", schema_overrides=types)
    return AtHand(held, ("other/digits",))


HELD = at_hand(
    ("minilm", "avg_avg", "bf16", None),
    ("minilm", "avg_avg", "bf16", 0),
    ("minilm", "avg_avg", "int8", None),
    ("minilm", "multi_layer", "bf16", None),
    ("mpnet", "avg_avg", "bf16", None),
    ("codellama", "mean", "bf16", None),  # differs from the base in more than one way
)

# As they were when they were written for this space alone.
CELLS = {
    "primitives": [
        "encoding=code.expression",
        "encoding=code.exclude_helper",
        "encoding=code.helper",
        "encoding=code.inline",
        "encoding=path",
        "encoding=adjacency",
        "encoding=graf",
        "encoding=ngram",
    ],
    "context": ["context=none", "context=comment", "context=network", "encoding=graf"],
    "precision": ["precision=fp32", "precision=bf16", "precision=int8", "encoding=graf"],
    "pooling": [
        "pooling=avg_avg",
        "pooling=mean",
        "pooling=cls",
        "pooling=last_token",
        "pooling=multi_layer",
        "encoding=graf",
    ],
    "pca": [
        "reduction=pca,n_components=128,fitted_on=labelled",
        "reduction=pca,n_components=32,fitted_on=labelled",
        "reduction=pca,n_components=512,fitted_on=labelled",
        "reduction=none",
        "reduction=pca,n_components=128,fitted_on=space",
        "encoding=graf",
    ],
    "loss": ["loss=mse", "loss=hinge", "encoding=graf", "encoding=graf,loss=hinge"],
    "head": [
        "head=mlp",
        "head=xgboost",
        "head=ridge",
        "head=kernel_ridge",
        "head=gaussian_process",
        "encoding=graf,head=mlp",
        "encoding=graf,head=xgboost",
        "encoding=graf,head=ridge",
        "encoding=graf,head=kernel_ridge",
        "encoding=graf,head=gaussian_process",
    ],
    "language_models": ["lm=minilm", "lm=mpnet", "encoding=graf", "encoding=ngram"],
    "onnx": [
        "encoding=onnx",
        "encoding=code.expression",
        "encoding=code.exclude_helper",
        "encoding=code.helper",
        "encoding=code.inline",
        "encoding=graf",
        "encoding=ngram",
    ],
    "controls": [
        "encoding=code.expression",
        "random_init=0",
        "encoding=ngram",
        "encoding=graf",
        "encoding=path",
        "encoding=path.canonical",
        "encoding=adjacency",
        "encoding=adjacency.canonical",
    ],
    "transfer_spaces": ["transfer=none", "transfer=other/digits", "encoding=graf"],
}


def test_every_experiment_is_written_down_here() -> None:
    assert list(CELLS) == list(EXPERIMENTS)


@pytest.mark.parametrize("name", CELLS)
def test_in_roles_they_are_what_they_were_for_nasbench201(name: str) -> None:
    before = get_space("nasbench201").with_reference("code.expression")
    made = make_experiment(name, before, BASE, HELD)
    assert made == [parse_configuration(text, BASE) for text in CELLS[name]]


def test_the_short_text_is_compared_with_those_that_were_there_before() -> None:
    space = get_space("nasbench201")
    base = Configuration(encoding=space.reference())
    made = make_experiment("primitives", space, base, HELD)
    assert [each.encoding for each in made][:5] == [
        "code.bare",
        "code.exclude_helper",
        "code.helper",
        "code.inline",
        "code.expression",
    ]
    contexts = make_experiment("context", space, base, HELD)
    assert [each.context for each in contexts] == ["none", "comment", "network", "none"]
    assert {each.encoding for each in contexts} == {"code.expression", "graf"}


@pytest.mark.parametrize("name", EXPERIMENTS)
@pytest.mark.parametrize("space_name", spaces)
def test_every_space_has_what_an_experiment_compares(space_name: str, name: str) -> None:
    space = get_space(space_name)
    base = Configuration(encoding=space.roles.reference)
    if name == "context" and space_name != "nasbench201":
        said = f"'code.expression' of {space_name} has no contexts to compare: name another with --"
        with pytest.raises(InputError, match=said):
            make_experiment(name, space, base, HELD)
        return
    made = make_experiment(name, space, base, HELD)
    assert len(set(made)) == len(made) >= 3
    assert any(each.encoding == space.roles.rival for each in made)
    for each in made:
        encoding = space.encoding(each.encoding)
        if isinstance(encoding, TextEncoding):
            assert each.context in encoding.contexts
    described = [
        describe(each, not isinstance(space.encoding(each.encoding), TextEncoding)) for each in made
    ]
    assert len(set(labels(described))) == len(made)


@pytest.mark.parametrize("space_name", spaces)
def test_a_role_is_played_by_an_encoding_of_its_kind(space_name: str) -> None:
    space = get_space(space_name)
    roles = space.roles
    texts = (roles.reference, *roles.renderings, roles.runnable, roles.native, roles.exported)
    vectors = (roles.rival, roles.classic, *roles.structural, *roles.controls, *roles.canonical)
    for name, is_text in [*((name, True) for name in texts), *((name, False) for name in vectors)]:
        if name is not None:
            assert isinstance(space.encoding(name), TextEncoding) == is_text, name
    assert roles.reference not in roles.renderings


def test_what_varies_keeps_the_rest_of_the_base() -> None:
    base = Configuration(encoding="code.inline", precision="fp32", head="ridge", context="comment")
    held = at_hand(("minilm", "avg_avg", "fp32", None), ("mpnet", "avg_avg", "fp32", None))
    made = make_experiment("language_models", get_space("nasbench201"), base, held)
    texts = ("lm=minilm", "lm=mpnet", "encoding=graf", "encoding=ngram")
    assert made == [parse_configuration(text, base) for text in texts]


def test_one_language_model_alone_says_how_to_embed_another() -> None:
    base = Configuration(context="network", precision="fp32")
    said = (
        "only 'minilm' has vectors of 'code.expression': embed another model with 'cole embed "
        "nasbench201 --encoding code.expression --context network --pooling avg_avg --precision "
        "fp32 --lm MODEL'"
    )
    with pytest.raises(InputError, match=said):
        make_experiment("language_models", get_space("nasbench201"), base, HELD)


def test_an_unknown_experiment_lists_the_known_ones() -> None:
    said = "unknown experiment 'colours': choose one of primitives, context, precision, pooling, "
    with pytest.raises(InputError, match=said):
        make_experiment("colours", get_space("nasbench201"), BASE, HELD)


def test_a_configuration_is_read_from_its_text() -> None:
    read = parse_configuration("encoding=path, head = ridge,n_components=16", BASE)
    assert read == Configuration(encoding="path", head="ridge", n_components=16)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("depth=", r"'depth=' is not name=value, choose a name of encoding, context, lm"),
        ("head", r"--configuration 'head': 'head' is not name=value"),
        ("head=mlp,random_init=x", r"random_init is a number, not 'x'"),
        ("n_components=-1", r"n_components is a number, not '-1'"),
    ],
)
def test_what_is_no_configuration_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_configuration(text, BASE)


def test_labels_tell_what_differs_in_words() -> None:
    base = Configuration(reduction="pca", fitted_on="labelled")
    texts = ("n_components=32", "reduction=none", "fitted_on=space", "random_init=0")
    made = [parse_configuration(text, base) for text in texts]
    assert labels([describe(each, structural=False) for each in made]) == [
        "code.expression · pca · fitted on the labelled",
        "code.expression · no reduction · fitted on the labelled",
        "code.expression · pca · fitted on the space",
        "code.expression · random weights (seed 0) · pca · fitted on the labelled",
    ]
