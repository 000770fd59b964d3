"""Weights of words in any language from what the words mean, learnt from labelled texts in several languages at once.

A word's meaning is its embedding from a multilingual encoder, centred within its language. A text's meaning is the sum
of its words' meanings, each times its inverse document frequency, over the length of the text's vector: the same sum
that the runtime's table makes. Topics are fitted on the meanings of texts; a word of any language, seen in training or
not, then weighs what its meaning weighs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize

Floats = npt.NDArray[np.float32]

# Similarity of two meanings is exp(_SHARPNESS * (cosine - 1)) (Nyström features over the anchors). Sharpness, number of
# anchors and ridge were chosen on 149 news pages in 14 languages, labelled by hand, and on sentences kept out.
_SHARPNESS = 2.0
_ANCHORS = 2_500
_COMMONEST_LEFT_OUT = 100  # they stand in every text and mean little
_RIDGE = 10.0
_ITERATIONS = 80


@dataclass(frozen=True)
class LabelledTexts:
    """Texts of one language and source.

    Sources differ in how often they speak of a topic, which says nothing about other texts: each has biases of its own
    in the fit, and a topic that it never has is not learnt from it.

    Attributes:
        vectors: a row for each text, a column for each word of the language's list (TF-IDF).
        embeddings: a row for each of those words.
        labels: a row for each text, a column for each topic; 0 or 1.
        weights: how much each label, and each lack of one, counts; in the shape of `labels`.
    """

    vectors: sparse.csr_matrix
    embeddings: Floats
    labels: Floats
    weights: Floats


class MeaningModel:
    """Topics as a function of meaning.

    Args:
        anchors: embeddings of the words whose meanings others are compared with.
        texts: what to learn from, one entry a language.
    """

    def __init__(self, anchors: Floats, texts: Sequence[LabelledTexts]) -> None:
        self._anchors = anchors
        kernel = np.exp(_SHARPNESS * (anchors @ anchors.T - 1.0))
        values, directions = np.linalg.eigh(kernel + 1e-4 * np.eye(len(anchors)))
        self._whitening = (directions / np.sqrt(np.maximum(values, 1e-6))).astype(np.float32)
        meanings = [_unit_rows(part.vectors) @ self._features(part.embeddings) for part in texts]
        scale = 1.0 / float(meanings[0].std())
        source = np.concatenate([np.full(len(part.labels), number) for number, part in enumerate(texts)])
        labels = np.concatenate([part.labels for part in texts])
        weights = np.concatenate([_balanced(part.labels, part.weights) for part in texts])
        self._coefficients = scale * _fit(np.concatenate(meanings) * scale, source, labels, weights)

    def weights(self, embeddings: Floats) -> Floats:
        """Weights (words x topics) of words of one language."""
        parts = [
            self._features_of_centred(rows) @ self._coefficients
            for rows in np.array_split(centred(embeddings), max(len(embeddings) // 2000, 1))
        ]
        return np.concatenate(parts)

    def _features(self, embeddings: Floats) -> Floats:
        return self._features_of_centred(centred(embeddings))

    def _features_of_centred(self, points: Floats) -> Floats:
        features: Floats = np.exp(_SHARPNESS * (points @ self._anchors.T - 1.0)) @ self._whitening
        return features


def choose_anchors(embeddings: Floats, frequencies: npt.NDArray[np.floating]) -> Floats:
    """The centred embeddings of the words that most texts have, but for the very commonest."""
    order = np.argsort(-frequencies, kind="stable")[_COMMONEST_LEFT_OUT : _COMMONEST_LEFT_OUT + _ANCHORS]
    return centred(embeddings)[order]


def centred(embeddings: Floats) -> Floats:
    """Embeddings of one language less their mean, each of length one: what is common to a language says nothing."""
    points = embeddings - embeddings.mean(axis=0)
    scaled: Floats = points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)
    return scaled


def _balanced(labels: Floats, weights: Floats) -> Floats:
    """Weights such that each topic's positives count as much as its negatives; nothing where there are no positives."""
    positive, negative = (weights * labels).sum(axis=0), (weights * (1 - labels)).sum(axis=0)
    half = (positive + negative) / 2
    balanced: Floats = weights * np.where(labels > 0, half / np.maximum(positive, 1), half / np.maximum(negative, 1))
    balanced[:, positive == 0] = 0.0
    return balanced


def _fit(meanings: Floats, source: npt.NDArray[np.int64], labels: Floats, weights: Floats) -> Floats:
    """Coefficients (features x topics) of logistic regressions with a ridge; the biases of each source are dropped."""
    features, topics = meanings.shape[1], labels.shape[1]
    of_source = np.eye(int(source.max()) + 1, dtype=np.float32)[source]
    shape = (features + of_source.shape[1], topics)

    def loss(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        theta = flat.reshape(shape).astype(np.float32)
        coefficients, biases = theta[:features], theta[features:]
        odds = meanings @ coefficients + of_source @ biases
        value = (weights * (np.logaddexp(0, odds) - labels * odds)).sum(dtype=np.float64)
        error = weights * (1 / (1 + np.exp(-odds)) - labels)
        gradient = np.concatenate([meanings.T @ error + _RIDGE * coefficients, of_source.T @ error])
        return value + _RIDGE / 2 * float((coefficients**2).sum()), gradient.ravel().astype(np.float64)

    start = np.zeros(shape).ravel()
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _ITERATIONS, "maxcor": 8}).x
    coefficients: Floats = found.reshape(shape)[:features].astype(np.float32)
    return coefficients


def _unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.diags(1 / np.maximum(lengths, 1e-6)) @ matrix
