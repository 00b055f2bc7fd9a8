"""Control: how far the words of `code.expression` go without a language model."""

from collections.abc import Sequence

import numpy as np

from cole_core.encodings.base import VectorEncoding
from cole_core.encodings.nasbench201.expression import Expression


class Ngram(VectorEncoding):
    """Counts of the runs of one to three tokens in the `code.expression` text.

    Runs are hashed into a fixed number of columns, so that nothing is fitted and a text has the
    same vector whatever stands beside it.
    """

    name = "ngram"
    columns = 1024

    def encode(self, natives: Sequence[str]) -> np.ndarray:
        from sklearn.feature_extraction.text import HashingVectorizer  # a second to import

        vectorizer = HashingVectorizer(
            n_features=self.columns,
            ngram_range=(1, 3),
            token_pattern=r"[\w.]+|[^\w\s]",
            lowercase=False,
            alternate_sign=False,
            norm=None,
            dtype=np.float32,
        )
        expression = Expression()
        texts = [expression.render(native) for native in natives]
        distinct = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        counts = vectorizer.transform(distinct).toarray()
        return counts[[distinct[text] for text in texts]]
