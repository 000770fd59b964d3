"""The three regressions behind a topic table: labels on words, weights of words on their meaning, thresholds on
whole articles."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from scripts.training.corpus import CODES, Example

Floats = npt.NDArray[np.floating]

_ENOUGH = 100
_FOREIGN_NEGATIVES = 0.3
_GAMMA, _NOISE = 2.0, 0.5


def fit_labels(matrix: sparse.csr_matrix, examples: Sequence[Example]) -> tuple[Floats, Floats]:
    """One-versus-rest logistic regression: weights (topics x rows) and biases.

    A source that hardly ever has a topic says little about what is not that topic, so its negatives count less: else
    the model learns to tell the sources apart.
    """
    labels = np.array([[uri in example.labels for uri in CODES] for example in examples])
    sources = np.array([example.source for example in examples])
    weights, biases = [], []
    for column in range(len(CODES)):
        weight = np.array([example.weight for example in examples])
        for source in sorted(set(sources) - {"iptc"}):
            of_source = sources == source
            if labels[of_source, column].sum() < _ENOUGH:
                weight[of_source & ~labels[:, column]] *= _FOREIGN_NEGATIVES
        model = LogisticRegression(C=3.0, solver="liblinear", class_weight="balanced", tol=1e-3, random_state=0)
        model.fit(matrix, labels[:, column], sample_weight=weight)
        weights.append(model.coef_[0])
        biases.append(model.intercept_[0])
    return np.array(weights, np.float32), np.array(biases, np.float32)


class Meanings:
    """Kernel ridge regression from a word's embedding to its weights: words of similar meaning get similar weights.

    Fitted on English words, it gives weights to words of any language whose embeddings lie in the same space.
    """

    def __init__(self, embeddings: Floats, weights: Floats, frequencies: Floats) -> None:
        self._points = _centred(embeddings, embeddings.mean(axis=0))
        kernel = np.exp(_GAMMA * (self._points @ self._points.T - 1.0)).astype(np.float64)
        kernel[np.diag_indices(len(kernel))] += _NOISE * 60.0 / np.minimum(frequencies, 400.0)
        self._coefficients = cho_solve(cho_factor(kernel), weights - weights.mean(axis=0))

    def weights(self, embeddings: Floats) -> Floats:
        """Returns weights (words x topics) with mean zero and deviation one, for words of one language."""
        points = _centred(embeddings, embeddings.mean(axis=0))
        parts = [
            np.exp(_GAMMA * (points[start : start + 2000] @ self._points.T - 1.0)) @ self._coefficients
            for start in range(0, len(points), 2000)
        ]
        found = np.concatenate(parts)
        found -= found.mean(axis=0)
        scaled: Floats = (found / found.std()).astype(np.float32)
        return scaled


def fit_thresholds(scores: Floats, labels: Floats, firmness: float = 3.0) -> tuple[float, Floats]:
    """A slope for all topics and a bias for each, by logistic regression that pulls the biases together."""

    def loss(theta: Floats) -> tuple[float, Floats]:
        odds = theta[0] * scores + theta[1] + theta[2:]
        gradient = 1 / (1 + np.exp(-odds)) - labels
        value = (np.logaddexp(0, odds) - labels * odds).sum() + firmness * (theta[2:] ** 2).sum()
        parts = [[(gradient * scores).sum(), gradient.sum()], gradient.sum(axis=0) + 2 * firmness * theta[2:]]
        return value / len(scores), np.concatenate(parts) / len(scores)

    start = np.r_[1.0, -1.0, np.zeros(scores.shape[1])]
    theta = minimize(loss, start, jac=True, method="L-BFGS-B").x
    return float(theta[0]), theta[1] + theta[2:]


def _centred(embeddings: Floats, mean: Floats) -> Floats:
    points = embeddings.astype(np.float32) - mean
    scaled: Floats = points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)
    return scaled
