"""What a language model's files are read as, in words."""

from typing import Any

from cole_core.language_models.specify import EmbeddingOptions, find_files


def describe(lm: str) -> dict[str, Any]:
    """What a language model would be read as; nothing of it is run.

    Args:
        lm: Catalog name, hub id or local folder.

    Raises:
        InputError: The model is not there, lacks what it needs or is damaged.
    """
    options = EmbeddingOptions(lm=lm)
    files = find_files(options)
    specification = options.specification_of(files, weights_sha256=None)
    return {
        "model": lm,
        "read_as": specification.reading,
        "layers": specification.layers[-1],
        "dimensions": specification.dimensions,
        "weights": ", ".join(path.name for path in files.weights),
        "bytes": sum(path.stat().st_size for path in files.weights),
        "folder": str(files.folder),
    }
