"""Spaces of one's own: a constructor of a file, whose arguments say what they may be."""

from cole_core.spaces.own.absent import AbsentSpace, absent_space
from cole_core.spaces.own.files import class_of, was_named
from cole_core.spaces.own.naming import FileName, checked, file_name, named_with
from cole_core.spaces.own.native import read_arguments
from cole_core.spaces.own.space import OwnSpace

__all__ = [
    "AbsentSpace",
    "FileName",
    "OwnSpace",
    "absent_space",
    "checked",
    "class_of",
    "file_name",
    "named_with",
    "read_arguments",
    "was_named",
]
