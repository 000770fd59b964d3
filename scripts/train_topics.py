#!/usr/bin/env -S scripts/with_environment.sh train
"""Trains the topic tables and writes them where newsbeam reads them.

    pip install -e '.[train]'
    scripts/train_topics.py --data FOLDER --embeddings CACHE [--out FOLDER] [--languages en,de,fr]

FOLDER holds the texts that `transforms/topics/data/NOTICE` names. Embeddings of words are made once and kept in CACHE:
four minutes for each of the larger languages, one for each of the others, on one core. The rest takes two.

How: logistic regression for each topic over words and pairs of words of English texts; a kernel regression from the
meaning of a word (its embedding) to its weights, averaged into the English table, and the whole of every other one;
thresholds on whole articles.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from newsbeam.transforms.text.words import words_and_pairs
from newsbeam.transforms.topics.table import TOP_LEVEL
from scripts.training.artefact import write_table, write_taxonomy
from scripts.training.corpus import read_examples, read_gold, read_taxonomy, read_unlabelled
from scripts.training.embeddings import commonest_words, embed_words, inverse_frequencies
from scripts.training.regression import Meanings, fit_labels, fit_thresholds
from scripts.training.vectors import Vocabulary, build_vocabulary, vectors

ROOT = Path(__file__).resolve().parents[1]

_WORDS = {"en": 20_000, "de": 22_000, "fr": 16_000}
_FEWER_WORDS = 5_200
_OTHERS = [
    "es",
    "pt",
    "it",
    "nl",
    "pl",
    "ru",
    "sv",
    "nb",
    "da",
    "cs",
    "tr",
    "el",
    "uk",
    "ar",
    "zh",
    "ja",
    "id",
    "ro",
    "hu",
    "fi",
    "ko",
    "fa",
    "vi",
    "bg",
]
_TAGS = {"nb": "no"}

_SHARE_OF_LABELS = 0.3
_PAIRS_COUNT = 0.75
_WEAKEST_PAIRS = 0.2
_MIN_TEXTS = 15

_THRESHOLD = -0.5  # log-odds: a tag is worth giving from a probability of .38, where F1 is best
_FLOOR = -2.5

# Human interest, labour and society are said of stories whose main topic is another: of 170 articles 30 have one of
# them, and 5 have it as their main one. They are made less likely to lead, and given from as much less.
_SELDOM_MAIN = {"medtop:08000000": 1.0, "medtop:09000000": 1.0, "medtop:14000000": 1.0}

# Tables made from meanings alone know fewer words of a text (compounds, inflected forms), so every score is lower; and
# the biases of topics, found on English articles, are taken over with caution. Chosen on 48 German pages.
_SHIFT_BY_MEANING = 1.8
_FIRMNESS_BY_MEANING = 20.0
_SELDOM_BY_MEANING = 0.5

Floats = npt.NDArray[np.floating]


def main(argv: list[str]) -> int:
    """Trains and writes all tables asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of labelled texts and the taxonomy")
    parser.add_argument("--embeddings", type=Path, required=True, help="folder to keep embeddings of words in")
    parser.add_argument("--out", type=Path, default=ROOT / "transforms" / "topics" / "data")
    parser.add_argument("--languages", default=",".join(["en", "de", "fr", *_OTHERS]))
    args = parser.parse_args(argv)
    gold = read_gold(args.data / "topics_valid_wikinews2019.jsonl")
    labels = np.array([[uri in row["labels"] for uri in TOP_LEVEL] for row in gold], np.float64)
    seldom = np.array([_SELDOM_MAIN.get(uri, 0.0) for uri in TOP_LEVEL])
    documents = [(words_and_pairs(row["title"]), words_and_pairs(row["text"])) for row in gold]

    vocabulary, weights, bias, meanings = train_english(args.data, args.embeddings)
    write_taxonomy(args.out / "mediatopics.json.gz", read_taxonomy(args.data))
    for language in args.languages.split(","):
        path = args.out / f"topics_{_TAGS.get(language, language)}.npz"
        if language == "en":
            odds = vectors(vocabulary, documents) @ weights.T + bias
            slope, shift = fit_thresholds(odds, labels)
            write_table(
                path,
                vocabulary.words,
                vocabulary.pairs,
                weights.T,
                vocabulary.idf,
                slope,
                slope * bias + shift - seldom,
                _THRESHOLD - seldom,
                _FLOOR,
            )
        else:
            less = seldom * _SELDOM_BY_MEANING
            words, found, idf = by_meaning(language, meanings, args.embeddings)
            slope, shift = thresholds_by_meaning(meanings, args.embeddings, documents, labels)
            write_table(path, words, [], found, idf, slope, shift - less, _THRESHOLD - less, _FLOOR)
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB", flush=True)
    return 0


def train_english(data: Path, cache: Path) -> tuple[Vocabulary, Floats, Floats, Meanings]:
    """Returns the vocabulary, weights (topics x rows) and biases of English, and the regression from word meanings
    to weights."""
    examples = read_examples(data)
    texts = [words_and_pairs(example.text) for example in examples]
    common = commonest_words("en", _WORDS["en"])
    unlabelled = [words_and_pairs(text) for text in read_unlabelled(data)]
    vocabulary = build_vocabulary([*texts, *unlabelled], common, least=3, least_pair=5)
    matrix = vectors(vocabulary, (([], text) for text in texts))
    weights, bias = fit_labels(matrix, examples)

    frequencies = np.asarray((matrix > 0).sum(axis=0)).ravel()
    rows = [row for row, word in enumerate(vocabulary.words) if frequencies[row] >= 9 or word in set(common)]
    embeddings = embed_words("en", [vocabulary.words[row] for row in rows], cache)
    fit = [place for place, row in enumerate(rows) if frequencies[row] >= _MIN_TEXTS]
    meanings = Meanings(
        embeddings[fit], weights[:, [rows[place] for place in fit]].T, frequencies[[rows[place] for place in fit]]
    )
    spread = weights[:, [rows[place] for place in fit]].std()
    blended = weights.copy()
    blended[:, rows] = _SHARE_OF_LABELS * weights[:, rows] + spread * meanings.weights(embeddings).T
    blended[:, len(vocabulary.words) :] *= _PAIRS_COUNT
    return *_without_weak_pairs(vocabulary, blended), bias, meanings


def by_meaning(language: str, meanings: Meanings, cache: Path) -> tuple[list[str], Floats, npt.NDArray[np.float32]]:
    """Words, weights (words x topics) and inverse frequencies of a language, from what its words mean alone."""
    words = sorted(commonest_words(language, _WORDS.get(language, _FEWER_WORDS)))
    return words, meanings.weights(embed_words(language, words, cache)), inverse_frequencies(language, words)


def thresholds_by_meaning(
    meanings: Meanings, cache: Path, documents: list[tuple[list[str], list[str]]], labels: Floats
) -> tuple[float, Floats]:
    """Slope and biases for a table made from meanings alone, found on English articles with such a table."""
    words, weights, idf = by_meaning("en", meanings, cache)
    odds = vectors(Vocabulary(words, [], idf), documents) @ weights
    slope, shift = fit_thresholds(odds, labels, _FIRMNESS_BY_MEANING)
    return slope, shift + _SHIFT_BY_MEANING


def _without_weak_pairs(vocabulary: Vocabulary, weights: Floats) -> tuple[Vocabulary, Floats]:
    """Drops the pairs with the smallest weights; their single words remain."""
    count = len(vocabulary.words)
    strength = np.abs(weights[:, count:]).max(axis=0) * vocabulary.idf[count:]
    kept = np.flatnonzero(strength > np.quantile(strength, _WEAKEST_PAIRS))
    rows = np.r_[np.arange(count), count + kept]
    pairs = [vocabulary.pairs[place] for place in kept]
    return Vocabulary(vocabulary.words, pairs, vocabulary.idf[rows]), weights[:, rows]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
