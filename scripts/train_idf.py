#!/usr/bin/env -S scripts/with_environment.sh train
"""Makes the table of word weights by which stories are linked: `transforms/stories/idf.npz`.

    pip install wordfreq
    scripts/train_idf.py [--words 12000] [--out FILE]

Frequencies come from wordfreq 3.1 (Robyn Speer; data CC BY-SA 4.0, see NOTICE beside the table). The share of articles
that have a word of frequency f is taken as 1 - (1 - f)^400: that of texts of 400 words with words drawn at random.
"""

import argparse
import importlib.metadata
import math
import sys
import zlib
from pathlib import Path

import numpy as np

from newsbeam.transforms.stories.terms import STEPS, count_terms

ROOT = Path(__file__).parent.parent
WORDS_IN_ARTICLE = 400
RAREST = 1e-6


def idf(frequency: float) -> int:
    """Inverse document frequency, in steps."""
    share = -math.expm1(WORDS_IN_ARTICLE * math.log1p(-max(frequency, RAREST)))
    return round(-math.log(share) * STEPS)


def main() -> int:
    import wordfreq

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", type=int, default=12_000, help="most frequent words of each language")
    parser.add_argument("--out", type=Path, default=ROOT / "transforms/stories/idf.npz")
    args = parser.parse_args()
    tables: dict[str, np.ndarray] = {}
    for language in sorted(wordfreq.available_languages("small")):
        frequencies: dict[int, float] = {}
        for word, frequency in wordfreq.get_frequency_dict(language, "small").items():
            for part in count_terms(word):
                term = zlib.crc32(part)
                frequencies[term] = max(frequencies.get(term, 0.0), frequency)
        frequent = sorted(frequencies, key=lambda term: (-frequencies[term], term))[: args.words]
        listed = [(-1, idf(RAREST)), *((term, idf(frequencies[term])) for term in sorted(frequent))]
        tables[language] = np.array([term for term, _ in listed], np.int64)
        tables[f"{language}.idf"] = np.array([weight for _, weight in listed], np.uint8)
    np.savez_compressed(args.out, **tables)
    version = importlib.metadata.version("wordfreq")
    print(f"{len(tables) // 2} languages, wordfreq {version}, {args.out.stat().st_size:,} B")
    return 0


if __name__ == "__main__":
    sys.exit(main())
