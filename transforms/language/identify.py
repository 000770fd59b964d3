"""Identifies the language of an article: script first, then a detector, the page's own word where that is not sure."""

import re
from dataclasses import dataclass, replace

from newsbeam.transforms.language.backends import Backend, BackendName, check_backend, load_backend
from newsbeam.transforms.language.second_detector import SECOND, JointAnswer, known_languages, second_opinion, weigh
from newsbeam.transforms.language.tags import macrolanguage, primary_language
from newsbeam.transforms.model.records import Article
from newsbeam.transforms.text.scripts import can_be_written_in, count_letters, language_of_script, main_script

UNDETERMINED = "und"

# Bounded repetitions: the text is hostile, and an unbounded `\S+@` is quadratic in a run without an @.
_ADDRESSES = re.compile(
    r"(?:https?://|www\.)[^\s<>\"]{1,2000}|[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{1,64}|[@#]\w{1,64}",
    re.ASCII | re.IGNORECASE,
)
_SIGNS_OF_ADDRESSES = ("://", "www.", "WWW.", "@", "#")


@dataclass(frozen=True)
class LanguageConfig:
    """How languages are identified.

    Attributes:
        backend: the detector; those other than `langdetect` are extras to install.
        max_characters: of the text the detector reads; more costs time and changes nothing.
        min_letters: a text with fewer is not asked about, only its hints are.
        min_confidence: below this probability the page's or feed's own word decides.
    """

    backend: BackendName = "langdetect"
    max_characters: int = 600
    min_letters: int = 20
    min_confidence: float = 0.9


@dataclass(frozen=True)
class Language:
    """What language a text is in.

    Attributes:
        tag: primary language subtag (BCP 47), `und` if it cannot be told.
        confidence: probability from 0 to 1, rounded; None where nothing was measured.
        method: `script`, the backend's name, `declared` (the page's word), `hint` (the feed's), `resembles xx` where no
            language is believed and `xx` comes nearest, or `none`.
    """

    tag: str
    confidence: float | None
    method: str


_ENGLISH = frozenset(("the", "of", "and", "to", "that", "for", "with", "was", "is", "by", "from", "has", "it", "as"))

# Words of these scripts are a character or two, so few of them make a headline.
_MIN_OF_SCRIPT = {"Hani": 4, "Kana": 4, "Hang": 4}

_UNKNOWN = Language(UNDETERMINED, None, "none")


def detect(
    text: str, declared: str = "", hint: str = "", backend: Backend | None = None, config: LanguageConfig | None = None
) -> Language:
    """The language of `text`; the same for the same arguments, whatever was detected before.

    Args:
        text: plain text; addresses in it are ignored.
        declared: what the page says of itself (`html lang`), any BCP 47 tag or locale; may be empty or nonsense.
        hint: what is known of the feed, in the same form.
        backend: the detector; the configured one if None.
        config: defaults if None.
    """
    config = config or LanguageConfig()
    sample = _without_addresses(text[: config.max_characters * 2])[: config.max_characters]
    # Of a long text every third character shows the script as well, in a third of the time.
    counts = count_letters(sample if len(sample) < 300 else sample[::3])
    letters = counts.total()
    script = main_script(counts)
    told = _told(script, declared, hint)
    decided = language_of_script(script, sample)
    read = counts[script] + (counts["Hani"] if script in ("Kana", "Hang") else 0)
    if decided and read >= _MIN_OF_SCRIPT.get(script, config.min_letters // 2):
        return Language(decided, round(read / letters, 4), "script")
    if letters < config.min_letters:
        return told or _UNKNOWN
    backend = backend or load_backend(config.backend)
    answer = _ask_both(sample.lower() if _is_shouted(sample) else sample, backend)
    tag, probability = answer.tag, round(answer.probability, 4)
    method = SECOND if answer.by_second_alone else backend.name
    if not told:
        return Language(tag, probability, method) if tag else _undetermined(answer)
    if macrolanguage(told.tag) == macrolanguage(tag):
        return Language(told.tag, probability, method)
    if told.tag not in backend.languages | known_languages() and not (tag == "en" and _reads_as_english(sample)):
        return told
    if probability < config.min_confidence:
        return told
    return Language(tag, probability, method)


def _ask_both(sample: str, backend: Backend) -> JointAnswer:
    """What the configured detector says, and what the second one makes of it, where it can know more."""
    first = backend.classify(sample)
    if backend.name == "py3langid":
        tag, probability = first or ("", 0.0)
        return JointAnswer(tag=tag, probability=probability, resembles=tag)
    if first and first[0] == "en" and _reads_as_english(sample):
        return JointAnswer(tag=first[0], probability=first[1], resembles=first[0])
    return weigh(first, second_opinion(sample), backend.languages)


def _undetermined(answer: JointAnswer) -> Language:
    """`und`, with the language that the text resembles, where there is one, in the method."""
    return Language(UNDETERMINED, None, f"resembles {answer.resembles}") if answer.resembles else _UNKNOWN


def _without_addresses(text: str) -> str:
    if not any(sign in text for sign in _SIGNS_OF_ADDRESSES):
        return text  # looking is forty times as fast as replacing nothing
    return _ADDRESSES.sub(" ", text)


def _told(script: str, declared: str, hint: str) -> Language | None:
    for tag, method in ((declared, "declared"), (hint, "hint")):
        language = primary_language(tag)
        if language and can_be_written_in(language, script):
            return Language(language, None, method)
    return None


def _reads_as_english(text: str) -> bool:
    """Whether one word in eight is an English function word: templates declare what their text is not."""
    words = text.lower().split()
    return sum(word in _ENGLISH for word in words) * 8 >= len(words)


def _is_shouted(text: str) -> bool:
    """Whether most of it is in capitals, which langdetect skips."""
    if any(map(str.islower, text[:60])) and any(map(str.islower, text[-60:])):
        return False
    return sum(map(str.isupper, text)) * 2 > sum(map(str.isalpha, text))


def identify_language(
    article: Article, backend: Backend | None = None, config: LanguageConfig | None = None
) -> Article:
    """`article` with `language`, `language_confidence` and `language_method` set from its title and text."""
    config = config or LanguageConfig()
    text = article.text
    if len(text) < config.max_characters:
        text = f"{article.title}\n{text}"  # of a long text the title says no more, and it may quote
    found = detect(text, article.language_declared, article.origin.language_hint, backend, config)
    return replace(article, language=found.tag, language_confidence=found.confidence, language_method=found.method)


@dataclass(frozen=True)
class LanguageIdentifier:
    """`identify_language` with a configuration; the detector is loaded once a process.

    Raises:
        ValueError: at once, if the backend is not known or not installed.
    """

    config: LanguageConfig

    def __post_init__(self) -> None:
        check_backend(self.config.backend)

    def __call__(self, article: Article) -> Article:
        return identify_language(article, load_backend(self.config.backend), self.config)
