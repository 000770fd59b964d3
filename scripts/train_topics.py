#!/usr/bin/env -S scripts/with_environment.sh train
"""Trains the topic tables from the data they are documented to come from, and writes them where the runtime reads them.

    pip install -e '.[train]'
    scripts/train_topics.py --data FOLDER --embeddings CACHE [--out FOLDER] [--languages en,de,fr]

FOLDER holds the texts that `transforms/topics/data/NOTICE` names. Embeddings of words are made once and kept in CACHE:
about a minute a language on one core. The rest takes five.

How: a meaning model (`training/meanings.py`) from English texts and from sentences in twelve languages gives weights to
the words of every language. In English they are averaged with those of a logistic regression over words and pairs of
words. Thresholds are found on whole articles. Each table is recorded (`scripts/models.py`) with its data, its tools and
its score on texts that were kept out.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import sparse

from newsbeam.transforms.text.words import words_and_pairs
from newsbeam.transforms.topics.table import TOP_LEVEL
from scripts.models import recorded, stamp
from scripts.training.artefact import TableParts, Thresholds, write_table, write_taxonomy
from scripts.training.corpus import Example, read_examples, read_gold, read_sentences, read_taxonomy, read_unlabelled
from scripts.training.embeddings import commonest_words, embed_words, inverse_frequencies
from scripts.training.meanings import LabelledTexts, MeaningModel, choose_anchors
from scripts.training.regression import fit_labels, fit_thresholds, label_matrix
from scripts.training.vectors import Vocabulary, build_vocabulary, vectors

ROOT = Path(__file__).resolve().parents[1]

_WORDS = {"en": 20_000, "de": 22_000, "fr": 16_000}
_FEWER_WORDS = 10_000
_LANGUAGES = (
    *("en", "de", "fr", "es", "pt", "it", "nl", "pl", "ru", "sv", "nb", "da", "cs", "tr", "el", "uk", "ar", "zh", "ja"),
    *("id", "ro", "hu", "fi", "ko", "fa", "vi", "bg", "ca", "sh", "sk", "sl", "lt", "lv", "is", "mk", "he", "hi", "bn"),
    *("ur", "ta", "ms", "fil"),
)
_TAGS = {"nb": "no", "sh": "hr", "fil": "tl"}

_SHARE_OF_LABELS, _SHARE_OF_MEANING = 0.5, 0.5
_PAIRS_COUNT = 0.75
_WEAKEST_PAIRS = 0.2
_MIN_TEXTS_FOR_MEANING = 9

_THRESHOLD = -0.5  # log-odds: a tag is worth giving from a probability of .38, where F1 is best
_FLOOR = -2.5

# Human interest, labour and society are said of stories whose main topic is another: of 170 articles 30 have one of
# them, and 5 have it as their main one. They are made less likely to lead, and given from as much less.
_SELDOM_MAIN = {"medtop:08000000": 1.0, "medtop:09000000": 1.0, "medtop:14000000": 1.0}

# Tables made from meanings alone know fewer words of a text (compounds, inflected forms), so every score is lower; and
# the biases of topics, found on English articles, are taken over with caution. Chosen on 149 pages in 14 languages.
_SHIFT_BY_MEANING = 1.0
_FIRMNESS_BY_MEANING = 20.0
_SELDOM_BY_MEANING = 0.5

Floats = npt.NDArray[np.floating]
Documents = list[tuple[list[str], list[str]]]
"""Texts as words: title and body."""


@dataclass(frozen=True)
class Gold:
    """Whole English articles with their topics; `labels` has a row for each article and a column for each topic."""

    documents: Documents
    labels: Floats


@dataclass(frozen=True)
class WordList:
    """The words of one language that a table has, what they mean, and their inverse document frequencies."""

    words: list[str]
    embeddings: npt.NDArray[np.float32]
    idf: npt.NDArray[np.float32]

    def vectors(self, documents: Documents) -> sparse.csr_matrix:
        """TF-IDF vectors over these words, a row for each document."""
        return vectors(Vocabulary(self.words, [], self.idf), documents)


def main(argv: list[str]) -> int:
    """Trains and writes all tables asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of labelled texts and the taxonomy")
    parser.add_argument("--embeddings", type=Path, required=True, help="folder to keep embeddings of words in")
    parser.add_argument("--out", type=Path, default=ROOT / "transforms" / "topics" / "data")
    parser.add_argument("--languages", default=",".join(_LANGUAGES))
    args = parser.parse_args(argv)

    gold = gold_articles(args.data)
    wanted = args.languages.split(",")
    sentences = read_sentences(args.data)
    word_lists = {name: read_word_list(name, args.embeddings) for name in sorted({"en", *wanted, *sentences})}
    english = EnglishTexts(args.data, args.embeddings)
    held_out = held_out_scores(english, word_lists, sentences)
    model = english.meaning_model([labelled_texts(word_lists[name], sentences[name]) for name in sorted(sentences)])

    write_taxonomy(args.out / "mediatopics.json.gz", read_taxonomy(args.data))
    thresholds = thresholds_by_meaning(model, word_lists["en"], gold)
    for language in wanted:
        path = args.out / f"topics_{_TAGS.get(language, language)}.npz"
        if language == "en":
            right = write_english(path, english, model, gold)
            score = f"{right:.3f} of whole articles: the main topic is one of theirs (thresholds cross-validated)"
        else:
            write_by_meaning(path, word_lists[language], model, thresholds)
            right, where = held_out.get(language, held_out["mean"]), "" if language in held_out else " in 12 others"
            score = f"{right:.3f} of sentences kept out{where}: the main topic is theirs"
        stamp(path, recorded(path, args.data, score))
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB, {score}", flush=True)
    return 0


def gold_articles(data: Path) -> Gold:
    """The articles that thresholds are found on."""
    rows = read_gold(data / "topics_valid_wikinews2019.jsonl")
    return Gold(
        [(words_and_pairs(row["title"]), words_and_pairs(row["text"])) for row in rows],
        np.array([[uri in row["labels"] for uri in TOP_LEVEL] for row in rows], np.float64),
    )


def read_word_list(language: str, cache: Path) -> WordList:
    """The commonest words of a language."""
    words = sorted(commonest_words(language, _WORDS.get(language, _FEWER_WORDS)))
    return WordList(words, embed_words(language, words, cache), inverse_frequencies(language, words))


def labelled_texts(words: WordList, examples: list[Example]) -> LabelledTexts:
    """Sentences of one language as the meaning model takes them."""
    labels, weights = label_matrix(examples)
    return LabelledTexts(
        words.vectors([([], words_and_pairs(example.text)) for example in examples]), words.embeddings, labels, weights
    )


class EnglishTexts:
    """The labelled English texts over a vocabulary of their own, and the weights that they alone give."""

    def __init__(self, data: Path, cache: Path) -> None:
        examples = read_examples(data)
        texts = [words_and_pairs(example.text) for example in examples]
        common = commonest_words("en", _WORDS["en"])
        unlabelled = [words_and_pairs(text) for text in read_unlabelled(data)]
        self.vocabulary = build_vocabulary([*texts, *unlabelled], common, least=3, least_pair=5)
        self.matrix = vectors(self.vocabulary, (([], text) for text in texts))
        self.labels, self.label_weights = label_matrix(examples)
        self.weights, self.bias = fit_labels(self.matrix, self.labels, self.label_weights)
        frequencies = np.asarray((self.matrix > 0).sum(axis=0)).ravel()
        known = set(common)
        self.rows = [
            row
            for row, word in enumerate(self.vocabulary.words)
            if frequencies[row] >= _MIN_TEXTS_FOR_MEANING or word in known
        ]
        self.embeddings = embed_words("en", [self.vocabulary.words[row] for row in self.rows], cache)
        self._frequencies = frequencies

    def meaning_model(self, others: list[LabelledTexts]) -> MeaningModel:
        """A meaning model of these texts and of `others`."""
        own = LabelledTexts(self.matrix[:, self.rows].tocsr(), self.embeddings, self.labels, self.label_weights)
        return MeaningModel(choose_anchors(self.embeddings, self._frequencies[self.rows]), [own, *others])

    def blended(self, model: MeaningModel) -> tuple[Vocabulary, Floats]:
        """Vocabulary and weights (topics x rows): what the texts say of each word, and what its meaning says."""
        meanings = model.weights(self.embeddings)
        meanings = (meanings - meanings.mean(axis=0)) / meanings.std()
        blended = self.weights.copy()
        spread = self.weights[:, self.rows].std()
        blended[:, self.rows] = _SHARE_OF_LABELS * blended[:, self.rows] + _SHARE_OF_MEANING * spread * meanings.T
        blended[:, len(self.vocabulary.words) :] *= _PAIRS_COUNT
        return _without_weak_pairs(self.vocabulary, blended)


def held_out_scores(
    english: EnglishTexts, word_lists: dict[str, WordList], sentences: dict[str, list[Example]]
) -> dict[str, float]:
    """Share of sentences whose main topic is right, by language and their mean, where every third was kept out.

    The sentences are the same in all languages, so the same third is kept out of each.
    """
    languages = sorted(sentences)
    kept = [
        labelled_texts(word_lists[name], [row for row in sentences[name] if row.group % 3 > 0]) for name in languages
    ]
    model = english.meaning_model(kept)
    scores = {}
    for name in languages:
        out = labelled_texts(word_lists[name], [row for row in sentences[name] if row.group % 3 == 0])
        odds = out.vectors @ model.weights(word_lists[name].embeddings)
        scores[name] = float(out.labels[np.arange(len(odds)), odds.argmax(axis=1)].mean())
    return {**scores, "mean": float(np.mean(list(scores.values())))}


def write_english(path: Path, english: EnglishTexts, model: MeaningModel, gold: Gold) -> float:
    """Writes the English table and returns its score on `gold`."""
    vocabulary, weights = english.blended(model)
    odds = vectors(vocabulary, gold.documents) @ weights.T + english.bias
    slope, shift = fit_thresholds(odds, gold.labels)
    seldom = _seldom()
    bias = slope * english.bias + shift - seldom
    table = TableParts(vocabulary.words, vocabulary.pairs, weights.T, vocabulary.idf)
    write_table(path, table, Thresholds(slope, bias, _THRESHOLD - seldom, _FLOOR))
    return _any_of(odds, gold.labels)


def write_by_meaning(path: Path, words: WordList, model: MeaningModel, thresholds: Thresholds) -> None:
    """Writes the table of a language other than English."""
    write_table(path, TableParts(words.words, [], model.weights(words.embeddings), words.idf), thresholds)


def thresholds_by_meaning(model: MeaningModel, words: WordList, gold: Gold) -> Thresholds:
    """Slope and biases for tables made from meanings alone, found on English articles with such a table."""
    odds = words.vectors(gold.documents) @ model.weights(words.embeddings)
    slope, shift = fit_thresholds(odds, gold.labels, _FIRMNESS_BY_MEANING)
    less = _seldom() * _SELDOM_BY_MEANING
    return Thresholds(slope, shift + _SHIFT_BY_MEANING - less, _THRESHOLD - less, _FLOOR)


def _seldom() -> Floats:
    return np.array([_SELDOM_MAIN.get(uri, 0.0) for uri in TOP_LEVEL])


def _any_of(odds: Floats, labels: Floats, folds: int = 5) -> float:
    """Share of articles whose best topic is one of theirs, each judged by thresholds found without its fold."""
    fold = np.arange(len(odds)) % folds
    right = 0.0
    for out in range(folds):
        slope, shift = fit_thresholds(odds[fold != out], labels[fold != out])
        best = (slope * odds[fold == out] + shift - _seldom()).argmax(axis=1)
        right += labels[fold == out][np.arange(len(best)), best].sum()
    return round(float(right) / len(odds), 3)


def _without_weak_pairs(vocabulary: Vocabulary, weights: Floats) -> tuple[Vocabulary, Floats]:
    """The pairs that tell least are left out; their words remain."""
    count = len(vocabulary.words)
    strength = np.abs(weights[:, count:]).max(axis=0) * vocabulary.idf[count:]
    kept = np.flatnonzero(strength > np.quantile(strength, _WEAKEST_PAIRS))
    rows = np.r_[np.arange(count), count + kept]
    pairs = [vocabulary.pairs[row] for row in kept]
    return Vocabulary(vocabulary.words, pairs, vocabulary.idf[rows]), weights[:, rows]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
