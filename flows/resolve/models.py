"""Whether a language model runs, found out before anything starts."""

from cole_core.language_models import EmbeddingSpecification
from warehouse import Warehouse


def check_model(warehouse: Warehouse, specification: EmbeddingSpecification, device: str) -> None:
    """Tries a model out, unless vectors that it made are stored: then it runs.

    Args:
        warehouse: Where vectors are, or will be.
        specification: Of the vectors.
        device: auto, cpu or cuda.

    Raises:
        InputError: It cannot be loaded, lacks something, or gives what is no number.
    """
    from cole_core.language_models.texts import try_out

    known = warehouse.has_catalog and specification.spec_id in warehouse.specifications()["spec_id"]
    if not known:
        try_out(specification, device)
