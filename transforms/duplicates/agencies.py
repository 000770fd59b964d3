"""Which wire agency a text names as its source."""

import re
from typing import Optional

_AGENCIES = (
    ("AP", r"AP|Associated Press|The Associated Press"),
    ("Reuters", r"REUTERS|Reuters|Thomson Reuters"),
    ("AFP", r"AFP|Agence France-Presse|Agence France Presse"),
    ("dpa", r"dpa|DPA|Deutsche Presse-Agentur"),
    ("EFE", r"EFE|Agencia EFE"),
    ("ANSA", r"ANSA"),
    ("APA", r"APA"),
    ("SID", r"SID"),
    ("KNA", r"KNA"),
    ("epd", r"epd"),
    ("ATS", r"ATS|Keystone-SDA|SDA"),
    ("Belga", r"Belga|BELGA"),
    ("ANP", r"ANP"),
    ("NTB", r"NTB"),
    ("TT", r"TT"),
    ("Ritzau", r"Ritzau|RITZAU"),
    ("PAP", r"PAP"),
    ("Lusa", r"Lusa|LUSA|Agência Lusa"),
    ("TASS", r"TASS|ТАСС"),
    ("Interfax", r"Interfax|Интерфакс"),
    ("RIA Novosti", r"RIA Novosti|РИА Новости"),
    ("Xinhua", r"Xinhua|XINHUA|新华社"),
    ("Kyodo", r"Kyodo|KYODO|共同通信"),
    ("Jiji", r"Jiji|時事通信"),
    ("Yonhap", r"Yonhap|연합뉴스"),
    ("PTI", r"PTI|Press Trust of India"),
    ("ANI", r"ANI"),
    ("IANS", r"IANS"),
    ("PA", r"PA|PA Media|Press Association"),
    ("AAP", r"AAP|Australian Associated Press"),
    ("CP", r"The Canadian Press|CP"),
    ("UPI", r"UPI"),
    ("Bloomberg", r"Bloomberg|BLOOMBERG"),
    ("Anadolu", r"AA|Anadolu Agency"),
    ("MENA", r"MENA"),
    ("Europa Press", r"Europa Press|EUROPA PRESS"),
)
_NAME = "|".join(f"(?P<a{i}>{names})" for i, (_, names) in enumerate(_AGENCIES))
# As datelines and credits have it: "BERLIN (AP) -", "Paris/dpa", "(Reuters)" at the start or the end, "Copyright 2018
# The Associated Press", "新华社". Never merely a mention in a sentence.
_CREDIT = re.compile(rf"[(\[](?:{_NAME})(?:[ /,][^()\[\]]{{0,40}})?[)\]]")
_DATELINE_DASH = re.compile(r"\A[^\n.!?]{0,60}[\s/(](?P<name>[^\W\d_]{2,10}|Europa Press|RIA Novosti)\)?\s{0,2}[-–—:]")
_COPYRIGHT = re.compile(rf"(?:©|\(c\)|[Cc]opyright)\s{{0,3}}(?:\d{{4}}\s{{0,3}})?(?:by\s)?(?:{_NAME})\b")
_START, _END = 200, 300


def wire_agency(text: str) -> Optional[str]:
    """The agency credited at the beginning or the end of a text (`AP`, `Reuters`, `dpa`, ...); None if none is."""
    beginning, end = text[:_START], text[-_END:] if len(text) > _START else ""
    for part in (beginning, end):
        for pattern in (_CREDIT, _COPYRIGHT):
            match = pattern.search(part)
            if match:
                return _AGENCIES[int((match.lastgroup or "a0")[1:])][0]
    match = _DATELINE_DASH.match(beginning)
    if match:
        for agency, names in _AGENCIES:
            if re.fullmatch(names, match["name"]):
                return agency
    if "新华社" in beginning:
        return "Xinhua"
    return None
