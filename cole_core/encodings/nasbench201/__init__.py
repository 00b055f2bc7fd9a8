"""The encodings of NAS-Bench-201, text and vector."""

from cole_core.encodings.base import Encoding
from cole_core.encodings.nasbench201.adjacency import Adjacency
from cole_core.encodings.nasbench201.arch_str import ArchStr
from cole_core.encodings.nasbench201.canonical import OnCanonicalCells
from cole_core.encodings.nasbench201.classes import ExcludeHelper, Helper, Inline
from cole_core.encodings.nasbench201.expression import Expression
from cole_core.encodings.nasbench201.graf import GraphFeatures
from cole_core.encodings.nasbench201.ngram import Ngram
from cole_core.encodings.nasbench201.onnx import Onnx
from cole_core.encodings.nasbench201.path import Path
from cole_core.registry import Registry

encodings: Registry[Encoding] = Registry("encoding of nasbench201")

encodings.register("code.expression", Expression)
encodings.register("code.exclude_helper", ExcludeHelper)
encodings.register("code.helper", Helper)
encodings.register("code.inline", Inline)
encodings.register("arch_str", ArchStr)
encodings.register("onnx", Onnx)

encodings.register("adjacency", Adjacency)
encodings.register("adjacency.canonical", lambda: OnCanonicalCells(Adjacency()))
encodings.register("path", Path)
encodings.register("path.canonical", lambda: OnCanonicalCells(Path()))
encodings.register("graf", GraphFeatures)

encodings.register("ngram", Ngram)
