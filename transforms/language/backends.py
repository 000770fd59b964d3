"""The detectors that can be chosen by configuration, each loaded once a process.

All give the same answer for the same text whatever was asked before: langdetect draws its n-grams at random, so its
generator is seeded anew for each text, and its profiles are loaded in a fixed order, since the order of a directory
listing, which it would use, changes the last bits of its sums from one file system to the next.
"""

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

BackendName = Literal["langdetect", "langdetect-rs", "py3langid"]

_SEED = 0

# How much likelier a text is in a language than in any other before a letter of it is read. It moves headlines of a few
# words (English: .972 to .975 right), and nothing longer.
_PRIOR = {"en": 5.0} | dict.fromkeys(("de", "es", "fr", "it", "nl", "pl", "pt", "ru"), 3.0)
_PRIOR_MATTERS = 200  # characters
_TRIALS_OF_LONG_TEXT = 3
"""Of the seven that langdetect averages: the same answers on 1,680 sentences and paragraphs, in half of the time."""
_PRIOR |= dict.fromkeys(("af", "ca", "cy", "et", "lt", "lv", "mk", "sl", "so", "sq", "sw", "tl"), 0.5)


@dataclass(frozen=True)
class Backend:
    """A detector: `classify(text)` gives (primary language subtag, probability), or None if the text says nothing."""

    name: str
    languages: frozenset[str]
    classify: Callable[[str], tuple[str, float] | None]


_PACKAGES = {"langdetect": "langdetect", "langdetect-rs": "langdetect_rs", "py3langid": "py3langid"}


def check_backend(name: str) -> None:
    """Raises `ValueError` if `name` is no backend, or is not installed; the message says what to install."""
    if name not in _PACKAGES:
        raise ValueError(f"language.backend: {name!r} is not one of {', '.join(_PACKAGES)}")
    if importlib.util.find_spec(_PACKAGES[name]) is None:
        raise ValueError(f"language.backend: {name} is not installed; pip install 'newsbeam[language]' brings it")


@lru_cache(maxsize=len(_PACKAGES))
def load_backend(name: BackendName) -> Backend:
    """Loads a detector; later calls give the same one. Raises what `check_backend` raises."""
    check_backend(name)
    if name == "py3langid":
        return _from_py3langid()
    return _from_langdetect(name, importlib.import_module(_PACKAGES[name]))


def _from_langdetect(name: str, package: Any) -> Backend:
    from langdetect.detector_factory import PROFILES_DIRECTORY

    from newsbeam.transforms.language.detector import QuickFactory

    factory = QuickFactory() if name == "langdetect" else package.DetectorFactory()
    factory.load_json_profile([path.read_text("utf-8") for path in sorted(Path(PROFILES_DIRECTORY).iterdir())])
    factory.set_seed(_SEED)
    template = factory.create()
    template.set_prior_map({tag: _PRIOR.get(tag, 1.0) for tag in factory.get_lang_list()})
    prior = template.prior_map
    failure = package.lang_detect_exception.LangDetectException

    def classify(text: str) -> tuple[str, float] | None:
        detector = factory.create()
        if len(text) < _PRIOR_MATTERS:
            detector.prior_map = prior  # read, never written to
        else:
            detector.n_trial = _TRIALS_OF_LONG_TEXT
        detector.append(text)
        try:
            probabilities = detector.get_probabilities()
        except failure:
            return None  # not one of its n-grams occurs in the text
        if not probabilities:
            return None
        best: dict[str, float] = {}
        for found in probabilities:
            language = found.lang.partition("-")[0]  # zh-cn and zh-tw are one
            best[language] = best.get(language, 0.0) + float(found.prob)
        language = max(sorted(best), key=best.__getitem__)
        return language, best[language]

    return Backend(name, frozenset(tag.partition("-")[0] for tag in factory.get_lang_list()), classify)


def _from_py3langid() -> Backend:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    # What it knows beside the languages that are written and routed on is dialects it takes headlines for.
    kept = sorted(language for language in identifier.labels if len(language) == 2)
    identifier.set_languages(kept)

    def classify(text: str) -> tuple[str, float] | None:
        language, probability = identifier.classify(text)
        return str(language), float(probability)

    return Backend("py3langid", frozenset(kept), classify)
