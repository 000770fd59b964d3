"""Names of people from bylines: prefixes, roles, degrees, addresses and the site's own name gone."""

import re
from collections.abc import Iterable

from newsbeam.transforms.text.line_features import fold

BY = re.compile(
    r"^(?:view all posts by|posted by|by|von|par|por|di|door|av|af|autor(?:in|ka|a|es)?|author|auteur|text|texte|"
    r"texto|from|words by|written by|story by|escrito por|redactie|автор|текст|от|написал|του|της|από|od|napisał|"
    r"opracował|作者|記者|记者|文)\s*[:：]?\s+(?=\S)",
    re.IGNORECASE,
)
# `Published: August 27, 2025 by Jane Doe`
DATED_BY = re.compile(
    r"^[^.!?]{0,30}(?:19|20)\d\d[\s,|·•–—-]{1,4}(?:by|von|par|por|di|door|av|af|od|от)\s+(?=\S)", re.IGNORECASE
)
LOGIN = re.compile(r"[a-z0-9_.-]+$")
"""What an author signs in with: a name only where the page has no other."""
_BETWEEN = re.compile(r"\s*(?:[,;、/|•·]|\s(?:and|und|et|y|e|en|och|og|i|и|και|with|&|a)\s)\s*", re.IGNORECASE)
_NOT_A_NAME = re.compile(
    r"https?:|www\.|@|\d|[<>{}\[\]=]|^(?:admin|administrator|staff|editor|redaktion|redazione|redacción|redação|"
    r"newsroom|webmaster|unknown|none|null|min read|view all|follow|updated|published|country|link|twitter|guest)$|"
    r"\b(?:officer|head of|director|professor|comments?|min read|minutes?|subscribe|newsletter|more from)\b",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"[,|\-–—(]\s*(?:.{0,40}\b(?:editor|reporter|correspondent|writer|staff|columnist|producer|journalist|bureau|analyst|"
    r"redakteur(?:in)?|korrespondent(?:in)?|dpa|afp|reuters|ap)\b.{0,40})$|\s\([^()]{0,20}\)?$",
    re.IGNORECASE,
)
_JOB = re.compile(
    r"\b(?:editor|reporter|correspondent|writer|columnist|producer|journalist|bureau|analyst|redakteur(?:in)?|"
    r"korrespondent(?:in)?|journaliste|periodista|giornalista|jornalista|redaktor|корреспондент|редактор)\b",
    re.IGNORECASE,
)
# `Jane Doe The Associated Press`: whom the person writes for, without a comma before it.
_AGENCY = re.compile(
    r"\s{1,20}(?:the\s)?"
    r"(?:associated press|canadian press|press association|agence france-presse|reuters|afp|dpa)$",
    re.I,
)
_DEGREE = re.compile(r"^(?:[A-Z]{2,5}|Ph\.?D\.?|M\.?D\.?|M\.?S\.?|Jr\.?|R\.?D\.?N?)$")
ORGANISATION = re.compile(
    r"\b(?:news|staff|editorial|editors|team|desk|agency|press|media|journal|times|post|tribune|associated|online|reuters|"
    r"afp|ap|dpa|redaktion|redazione)\b|\.\w{2,4}$",
    re.IGNORECASE,
)


def clean_names(values: Iterable[str], sites: tuple[str, ...], keep_organisation: bool = False) -> tuple[str, ...]:
    """Names of people from byline text: prefixes, roles, degrees, addresses and the site's own name gone, one a name.

    An organisation beside a person (`A. Person, The Associated Press`) is not a second author.
    """
    own = {fold(site).replace(" ", "") for site in sites if site}
    out: dict[str, str] = {}
    for value in values:
        value = "" if "://" in value else BY.sub("", " ".join(value.split()))
        for part in _BETWEEN.split(value[:400]):
            name = _ROLE.sub("", BY.sub("", part.strip(" .,;:|-–—•·*()"))).strip(" .,;:|-–—•·*()")
            if name.count(" ") > 2:
                name = _AGENCY.sub("", name)
            words = name.split()
            if words and out and (_DEGREE.match(name) or _JOB.search(name)):
                continue
            while len(words) > 2 and _DEGREE.match(words[-1]):
                words.pop()
            name = " ".join(words)
            if not 1 <= len(words) <= 6 or not 3 <= len(name) <= 60 or _NOT_A_NAME.search(name):
                continue
            if name[0].islower() and len(words) > 1 and not any(word[0].isupper() for word in words[1:]):
                continue
            key = fold(name)
            if key and (keep_organisation or key.replace(" ", "") not in own):
                out.setdefault(key, name)
    people = [name for name in out.values() if not ORGANISATION.search(name)]
    return tuple(people or out.values())
