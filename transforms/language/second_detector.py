"""A second detector beside langdetect: it knows 140 languages, langdetect 55, and it doubts what it does not know.

langdetect gives each text to one of its own languages, and is sure of it: it calls isiXhosa Swahili and Kazakh Russian
with a probability of 1. py3langid (BSD) knows most of the languages that news is written in, and its probabilities are
calibrated by the length of the text. Where both agree, the answer stands. Where only py3langid knows the language, its
answer stands if it is probable enough. What neither knows well is undetermined, with the language that it resembles.

The thresholds were chosen on two sets of texts: sentences and paragraphs in 80 languages (SIB-200, training part) and
passages of the Universal Declaration of Human Rights in 474 languages, most of which neither detector knows.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from typing import Any

from newsbeam.transforms.language.tags import macrolanguage

SECOND = "py3langid"
"""The second detector's name, in the method of what it alone decides."""
RANKED = 3
"""So many of the second detector's candidates are looked at."""
CONFIRMS = 0.5
"""The second detector confirms the first one's language if it gives it at least this share of its best candidate's
probability: Croatian and Bosnian, Indonesian and Malay are told apart by neither for certain."""
MIN_CONFIRMED = 0.4
"""Below it agreement means nothing: of 22 such passages 20 were in a language that neither detector knows."""
MIN_PROBABILITY = 0.6
"""Below it, a language that only the second detector knows is not believed: of 792 such passages 751 were in a language
that neither detector knows, 17 in the language that was named."""
MIN_IN_DISAGREEMENT = 0.5
"""Below it, and with two different languages named that both detectors know, neither is believed."""
SURE = 0.9999
"""From here on a language that only the second detector knows is as good as certain: 808 of 808 known passages. Unknown
relatives (Romansh is called Occitan) reach it in 7 of 100."""
UNCONFIRMED = 0.79
"""The most that is stated for a language that only one detector knows and that is not `SURE`."""

# Not languages: what py3langid calls noise, and historical forms of languages that news is written in.
_NOT_NEWS = frozenset(("zxx", "grc", "hbo", "la", "vo"))
# What it takes dialects and relatives for, as the languages that pages declare.
_CANONICAL = {"gug": "gn", "uzs": "uz", "sdh": "ku", "kik": "ki", "fuv": "ff", "srl": "sr"}


@dataclass(frozen=True)
class JointAnswer:
    """What two detectors say together.

    Attributes:
        tag: primary language subtag; empty if neither is believed.
        probability: that `tag` is right, from 0 to 1.
        resembles: the likeliest language, also where it is not believed.
        by_second_alone: whether only the second detector knows the language.
    """

    tag: str
    probability: float
    resembles: str
    by_second_alone: bool = False


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@lru_cache(maxsize=1)
def known_languages() -> frozenset[str]:
    """The primary language subtags that the second detector tells apart."""
    return frozenset(_CANONICAL.get(label, label) for label in _identifier().labels if label not in _NOT_NEWS)


def second_opinion(sample: str) -> dict[str, float]:
    """The likeliest languages of `sample` with their probabilities, by py3langid, likeliest first.

    Noise and historical languages are left out, so that the probabilities may add up to less than 1, and to 0.
    """
    shares: dict[str, float] = {}
    for label, share in _identifier().rank(sample)[:RANKED]:
        if label not in _NOT_NEWS:
            language = macrolanguage(_CANONICAL.get(label, label))
            shares[language] = shares.get(language, 0.0) + share
    return dict(sorted(shares.items(), key=lambda pair: (-pair[1], pair[0])))


def weigh(first: tuple[str, float] | None, second: dict[str, float], known_to_first: frozenset[str]) -> JointAnswer:
    """What the two detectors say together.

    Args:
        first: langdetect's language and probability, None if it found nothing to go by.
        second: the answer of `second_opinion`.
        known_to_first: the languages that langdetect knows.
    """
    tag, probability = next(iter(second.items()), ("", 0.0))
    if first:
        confirmed = second.get(macrolanguage(first[0]), 0.0)
        if confirmed == probability >= MIN_CONFIRMED:
            return JointAnswer(first[0], max(sqrt(confirmed), min(first[1], UNCONFIRMED)), first[0])
        if confirmed < probability and confirmed >= max(CONFIRMS * probability, MIN_CONFIRMED / 2):
            return JointAnswer(first[0], min(first[1], UNCONFIRMED), first[0])
    if tag not in known_to_first:
        if probability < MIN_PROBABILITY:
            return JointAnswer("", 0.0, tag)
        return JointAnswer(tag, probability if probability >= SURE else min(probability, UNCONFIRMED), tag, True)
    if first and probability >= MIN_IN_DISAGREEMENT:
        return JointAnswer(first[0], min(first[1], probability, UNCONFIRMED), first[0])
    return JointAnswer("", 0.0, tag)
