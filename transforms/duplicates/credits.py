"""Whom a text names as its source, and by which names an outlet is credited by others.

An agency's own site is known by its host; other outlets by their host and publisher. A name is compared by its letters
alone: `The Guardian`, `Guardian` and `theguardian.com` are one.
"""

import re
import zlib
from collections.abc import Iterable
from urllib.parse import urlsplit

import numpy as np

from newsbeam.transforms.duplicates.agencies import wire_agency
from newsbeam.transforms.duplicates.features import U32
from newsbeam.transforms.model.records import Article

MOST_NAMES = 8
_CREDIT_WORDS = 4
_BEGINNING, _END = 400, 600

_AGENCY_SITES = {
    "aap.com.au": "AAP",
    "aa.com.tr": "Anadolu",
    "afp.com": "AFP",
    "ap.org": "AP",
    "apnews.com": "AP",
    "bloomberg.com": "Bloomberg",
    "dpa.com": "dpa",
    "thecanadianpress.com": "CP",
    "pa.media": "PA",
    "ptinews.com": "PTI",
    "news.cn": "Xinhua",
    "xinhuanet.com": "Xinhua",
    "yna.co.kr": "Yonhap",
    "ria.ru": "RIA Novosti",
}

# "This article was originally published by X", "First published in X", and so on: what stands between is bounded.
_PUBLISHED = re.compile(
    r"(?:(?:originally|first|initially) (?:published|appeared|posted|reported) (?:by|in|on|at|with)"
    r"|(?:published|appeared) (?:originally|first) (?:by|in|on|at)"
    r"|zuerst (?:erschienen|veröffentlicht) (?:bei|in|auf|im|von)"
    r"|(?:erschien|erschienen) zuerst (?:bei|in|auf|im)"
    r"|(?:initialement|d'abord) publié (?:par|dans|sur)|publié (?:initialement|d'abord) (?:par|dans|sur)"
    r"|publicado (?:originalmente|por primera vez) (?:por|en)|originalmente publicado (?:por|en|em)"
    r"|publicado originalmente (?:por|em|no|na)|pubblicato (?:originariamente|originalmente) (?:da|su|in)"
    r"|(?:^|\n)(?:source|quelle|fuente|fonte)\s?:)\s{1,3}([^\n]{2,80})",
    re.IGNORECASE,
)
_NAME_WORD = re.compile(r"[^\W_]+(?:[.’'&-][^\W_]+)*")


def name_key(name: str) -> str:
    """What is compared of a name."""
    letters = re.sub(r"[\W_]+", "", name.lower())
    return letters[3:] if letters.startswith("the") and len(letters) > 5 else letters


def _host_names(host: str) -> Iterable[str]:
    host = host.lower().removeprefix("www.").removeprefix("m.").removeprefix("amp.")
    if not host:
        return
    yield host
    labels = host.split(".")
    # The name before the public suffix: of `news.example.co.uk` and `example.com`, `example`.
    named = [label for label in labels[:-1] if len(label) > 3] or labels[:1]
    yield named[-1]
    agency = next((_AGENCY_SITES[site] for site in _AGENCY_SITES if host == site or host.endswith("." + site)), None)
    if agency:
        yield agency


def own_names(article: Article) -> U32:
    """Hashes of the names under which others may credit an article's outlet."""
    return _hashes([*_host_names(article.domain), article.publisher, article.origin.publisher])


def credited_names(article: Article) -> U32:
    """Hashes of the names that an article credits as its source: a wire agency, the outlet that is said to have
    published it first, the host that its page declares as the canonical one."""
    names: list[str] = []
    agency = wire_agency(article.text)
    if agency:
        names.append(agency)
    names.extend(_host_names(urlsplit(article.origin.canonical_elsewhere).hostname or ""))
    text = article.text
    parts = (text,) if len(text) <= _BEGINNING + _END else (text[:_BEGINNING], text[-_END:])
    for part in parts:
        for match in _PUBLISHED.finditer(part):
            words = _NAME_WORD.findall(match[1])
            if words and words[0].lower() in ("the", "der", "die", "das", "la", "le", "el", "il"):
                words = words[1:]
            names.extend("".join(words[: n + 1]) for n in range(min(len(words), _CREDIT_WORDS)))
            if words and "." in words[0]:
                names.extend(_host_names(words[0]))
    own = set(own_names(article).tolist())
    found = _hashes(names)
    return found[[name not in own for name in found.tolist()]]


def _hashes(names: Iterable[str]) -> U32:
    keys = dict.fromkeys(key for key in map(name_key, names) if len(key) > 1)
    return np.array([zlib.crc32(key.encode("utf-8", "replace")) for key in list(keys)[:MOST_NAMES]], np.uint32)
