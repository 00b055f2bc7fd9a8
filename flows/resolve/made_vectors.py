"""Which vectors are made of architectures that nobody has seen yet."""

from cole_core.encodings.base import VectorEncoding
from cole_core.encodings.registry import make_text_encoding
from cole_core.encodings.vectors import USUAL, Vectors, VectorSource
from cole_core.language_models import EmbeddingOptions, EmbeddingSpecification
from cole_core.spaces.base import SearchSpace
from cole_core.spaces.corpus import Corpus


def find_made_vectors(
    space: SearchSpace, asked: Vectors
) -> tuple[VectorSource, EmbeddingSpecification | None]:
    """Where vectors of new architectures come from: they are made, so what is not said is as usual.

    Raises:
        InputError: The encoding or the context is unknown, or the model is not to be had.
    """
    name = space.reference(asked.context) if asked.encoding is None else asked.encoding
    if isinstance(space.encoding(name), VectorEncoding):
        return VectorSource(name, asked.context, None, None), None
    make_text_encoding(space, name, asked.context)
    if isinstance(space, Corpus):
        space.check_all_known(name)
    specification = EmbeddingOptions(
        lm=asked.lm or USUAL["lm"],
        pooling=asked.pooling or USUAL["pooling"],
        precision=asked.precision or USUAL["precision"],
        random_init=asked.random_init,
    ).specification()
    return (
        VectorSource(name, asked.context, specification.spec_id, specification.language_model),
        specification,
    )
