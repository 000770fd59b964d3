"""Language tags as pages and feeds write them, reduced to a primary language subtag."""

import re

_TAG = re.compile(r"\s*([a-zA-Z]{2,3})(?![a-zA-Z])|\s*([a-zA-Z]{4,12})\s*$")

# Deprecated subtags (IANA language subtag registry), three-letter codes that have two letters, countries and names
# that pages give where a language is asked for.
_ALIASES = """
    iw=he in=id ji=yi jw=jv mo=ro sh=sr fil=tl cmn=zh arb=ar jp=ja cz=cs gr=el ua=uk dk=da kr=ko cn=zh tw=zh
    vn=vi eng=en deu=de ger=de fra=fr fre=fr spa=es ita=it por=pt rus=ru zho=zh chi=zh jpn=ja kor=ko ara=ar
    nld=nl dut=nl pol=pl tur=tr swe=sv dan=da nor=no nob=nb fin=fi hun=hu ces=cs cze=cs slk=sk ron=ro rum=ro
    bul=bg ell=el gre=el ukr=uk heb=he hin=hi ben=bn fas=fa per=fa urd=ur ind=id vie=vi tha=th cat=ca hrv=hr
    srp=sr slv=sl swa=sw tam=ta english=en german=de deutsch=de french=fr spanish=es russian=ru
"""
_CANONICAL = {alias: subtag for alias, _, subtag in (pair.partition("=") for pair in _ALIASES.split())}
_NO_LANGUAGE = frozenset(("und", "mul", "zxx", "mis", "non", "all", "xx", "un", "unknown", "default", "auto"))
_MACROLANGUAGE = {"nb": "no", "nn": "no"}


def primary_language(tag: str) -> str | None:
    """The primary subtag of a BCP 47 tag or a locale (`de-AT`, `en_US.UTF-8`), None if `tag` names no language."""
    match = _TAG.match(tag)
    if not match:
        return None
    subtag = (match[1] or match[2]).lower()
    subtag = _CANONICAL.get(subtag, subtag)
    return None if subtag in _NO_LANGUAGE or len(subtag) > 3 else subtag


def macrolanguage(subtag: str) -> str:
    """The macrolanguage detectors report where they do not tell its members apart (`nb` and `nn` are `no`)."""
    return _MACROLANGUAGE.get(subtag, subtag)
