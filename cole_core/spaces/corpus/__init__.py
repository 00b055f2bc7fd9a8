"""Corpora: folders and tables of networks that somebody wrote, each a space of what is given."""

from cole_core.spaces.corpus.collected import Collected
from cole_core.spaces.corpus.members import Member, read_arguments
from cole_core.spaces.corpus.space import PREFIX, Corpus, is_corpus

__all__ = ["PREFIX", "Collected", "Corpus", "Member", "is_corpus", "read_arguments"]
