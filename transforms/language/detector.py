"""langdetect with its inner loops written anew: the same numbers to the last bit, loaded and found in half of the time.

What is overridden is private to langdetect 1.0.9, the last there is (2021); a test compares the two.
"""

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from itertools import count

import numpy as np
from langdetect.detector import Detector
from langdetect.detector_factory import DetectorFactory
from langdetect.utils.ngram import NGram
from numpy.typing import NDArray

# As langdetect counts them: six signs stand between `Z` and `a`, and few of what lies above U+0300 are Latin.
_LATIN, _ABOVE = re.compile("[A-z]"), re.compile("[\u0300-\U0010ffff]")
# Asked for every character of every text: a few hundred different ones, thousands in Chinese.
_normal = lru_cache(maxsize=16_384)(NGram.normalize)


class QuickFactory(DetectorFactory):
    """Makes detectors; `word_lang_prob_map` has for each n-gram its row of `shares`, which has a column a language."""

    shares: NDArray[np.float64]

    def load_json_profile(self, json_profiles: Sequence[str]) -> None:
        """Loads the profiles of languages, each a JSON object of langdetect's own."""
        profiles = [json.loads(profile) for profile in json_profiles]
        rows: defaultdict[str, int] = defaultdict(count().__next__)
        columns = []
        for profile in profiles:
            grams, total = profile["freq"], np.array(profile["n_words"], dtype=np.float64)
            places = np.fromiter(map(rows.__getitem__, grams), dtype=np.int64, count=len(grams))
            sizes = np.fromiter(map(len, grams), dtype=np.int64, count=len(grams))
            seen = np.fromiter(grams.values(), dtype=np.float64, count=len(grams))
            fits = (sizes >= 1) & (sizes <= NGram.N_GRAM)
            columns.append((places[fits], seen[fits] / total[sizes[fits] - 1]))
        self.langlist = [profile["name"] for profile in profiles]
        self.word_lang_prob_map = dict(rows)
        self.shares = np.zeros((len(rows), len(profiles)))
        for column, (places, shares) in enumerate(columns):
            self.shares[places, column] = shares

    def _create_detector(self) -> "QuickDetector":
        return QuickDetector(self)


class QuickDetector(Detector):
    """A detector for one text. N-grams are known by their rows."""

    def __init__(self, factory: QuickFactory) -> None:
        super().__init__(factory)
        self._shares = factory.shares

    def cleaning_text(self) -> None:
        """Takes Latin letters out of a text in another script."""
        if 2 * len(_LATIN.findall(self.text)) < len(_ABOVE.findall(self.text)):
            super().cleaning_text()

    def _extract_ngrams(self) -> list[int]:
        known = self.word_lang_prob_map.get
        found = []
        gram, capitals = " ", False
        for letter in map(_normal, self.text):
            last = gram[-1]
            if last == " ":
                gram, capitals = " ", False
                if letter == " ":
                    continue
            gram = gram[-2:] + letter
            if not letter.isupper():
                capitals = False
            elif last.isupper():
                capitals = True
            if capitals:
                continue  # of words in capitals it reads the first letter only
            found.append(known(letter) if letter != " " else None)
            found.append(known(gram[-2:]))
            if len(gram) == NGram.N_GRAM:
                found.append(known(gram))
        return [row for row in found if row is not None]

    def _init_probability(self) -> NDArray[np.float64]:
        return np.array(super()._init_probability())

    def _update_lang_prob(self, prob: NDArray[np.float64], row: int, alpha: float) -> None:
        prob *= self._shares[row] + alpha / self.BASE_FREQ

    def _normalize_prob(self, prob: NDArray[np.float64]) -> float:
        # Python's sum: numpy's adds in another order.
        prob /= sum(prob.tolist())
        return float(prob.max())
