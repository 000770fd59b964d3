"""Two of the regressions behind a topic table: labels on words, and thresholds on whole articles."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from scripts.training.corpus import CODES, Example

Floats = npt.NDArray[np.floating]

_ENOUGH = 100
_FOREIGN_NEGATIVES = 0.3


def fit_labels(matrix: sparse.csr_matrix, labels: Floats, label_weights: Floats) -> tuple[Floats, Floats]:
    """One-versus-rest logistic regression: weights (topics x rows) and biases. See `label_matrix` for the labels."""
    weights, biases = [], []
    for column in range(len(CODES)):
        model = LogisticRegression(C=3.0, solver="liblinear", class_weight="balanced", tol=1e-3, random_state=0)
        model.fit(matrix, labels[:, column] > 0, sample_weight=label_weights[:, column])
        weights.append(model.coef_[0])
        biases.append(model.intercept_[0])
    return np.array(weights, np.float32), np.array(biases, np.float32)


def label_matrix(examples: Sequence[Example]) -> tuple[Floats, Floats]:
    """Labels (texts x topics; 0 or 1) and how much each of them counts.

    A source that hardly ever has a topic says little about what is not that topic, so its negatives count less: else
    the model learns to tell the sources apart.
    """
    labels = np.array([[uri in example.labels for uri in CODES] for example in examples], np.float32)
    weights = np.repeat(np.array([[example.weight] for example in examples], np.float32), len(CODES), axis=1)
    sources = np.array([example.source for example in examples])
    for source in sorted(set(sources) - {"iptc"}):
        of_source = sources == source
        for column in np.flatnonzero(labels[of_source].sum(axis=0) < _ENOUGH):
            weights[of_source & (labels[:, column] == 0), column] *= _FOREIGN_NEGATIVES
    return labels, weights


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
