"""What the class and id of an element say of it: words that sites use for the parts of a page, in groups."""

import re
from functools import lru_cache
from itertools import pairwise

# Groups of words in class and id attributes; the place in this tuple is the bit. English as most sites write them,
# with the German, French, Spanish, Portuguese, Italian, Polish, Russian, Dutch and Nordic words seen often.
CLASS_GROUPS: tuple[tuple[str, str], ...] = (
    ("body", "articlebody storybody articletext storytext bodytext articlecontent storycontent postcontent entrycontent"
             " postbody entrybody maincontent articlemain"),
    ("text", "body text content texto corpo cuerpo contenu contenido tresc text copy richtext prose textbody"),
    ("article", "article story post entry artikel articulo artigo news newsitem hentry artykul articolo detail single"),
    ("paragraph", "paragraph para paragraphs absatz textblock"),
    ("lede", "lede lead leadtext intro introduction standfirst summary dek deck subtitle subhead subheadline abstract"
             " excerpt chapo chapeau sapo lid excerpt anrisstext vorspann subheading description"),
    ("headline", "headline title titre titulo titel heading hed header1 articletitle posttitle entrytitle headlines"),
    ("meta", "meta byline author authors autor auteur autore bio profile contributor writer reporter signature credits"
             " verfasser journalist avatar"),
    ("date", "date time timestamp datetime published pubdate dateline datum fecha data updated"),
    ("caption", "caption captions figcaption credit copyright legend legende bildunterschrift leyenda wpcaption"
                " fotograf bildtext"),
    ("media", "image img photo picture media video player gallery slideshow carousel slider figure audio podcast thumb"
              " thumbnail foto bild galerie galeria imagen youtube jwplayer slide"),
    ("related", "related recommended recommendations more also readmore relatedposts similar teaser teasers promo"
                " recirc recirculation outbrain taboola trending popular mostread latest mehr weitere siehe lire"
                " nextarticle upnext further zergnet readnext recommend suggested editorspick picks lees verwandte"),
    ("list", "list items feed river stream cards card grid item tile listing"),
    ("share", "share social sharing facebook twitter whatsapp follow addthis sharedaddy sns telegram linkedin pinterest"
              " reddit email print buttons toolbar tools tool actions"),
    ("comment", "comment comments disqus respond reply replies kommentar kommentare commentaires comentarios discussion"
                " commentlist komentarze"),
    ("newsletter", "newsletter subscribe subscription signup registration register optin mailchimp subscriber abo"
                   " paywall piano login membership donate donation support"),
    ("tags", "tags tag keywords topics topic categories category labels taxonomy label rubric rubrik section kicker"
             " eyebrow flag"),
    ("breadcrumb", "breadcrumb breadcrumbs crumbs crumb"),
    ("nav", "nav navigation menu navbar topbar subnav menubar skip pagination pager paging prev next masthead"),
    ("footer", "footer foot bottom copyright legal disclaimer colophon"),
    ("header", "header head top banner masthead topnav siteheader"),
    ("side", "sidebar side rail aside widget widgets right secondary column rightcol sidebars module"),
    ("ad", "ad ads advert advertisement adv advertising sponsor sponsored werbung publicidad anzeige dfp adsense promo"
           " promoted promotion outbrain taboola commercial reklama affiliate shop product products deal"),
    ("cookie", "cookie cookies consent gdpr modal popup overlay dialog onetrust notice banner"),
    ("hidden", "hidden hide invisible sr visually screenreader visuallyhidden offscreen print noprint printonly"),
    ("box", "box infobox factbox fact facts sidebar inset callout aside embed embedded pullquote quote highlight"
            " keypoints highlights bullets timeline note"),
    ("live", "live liveblog liveticker ticker liveposts"),
    ("correction", "correction corrections clarification update editorsnote note disclosure disclaimer"),
    ("main", "main content center primary maincol middle wrapper container page"),
    ("table", "table score scores data stats chart graphic infographic"),
    ("forum", "poll survey quiz vote rating ratings review game weather stock quotes"),
    ("search", "search suche recherche buscar results"),
    ("source", "source sources agency provider publisher brand logo trust standards"),
)  # fmt: skip
CLASS_BIT = {name: 1 << place for place, (name, _) in enumerate(CLASS_GROUPS)}
_WORD_BITS: dict[str, int] = {}
for _place, (_name, _words) in enumerate(CLASS_GROUPS):
    for _word in _words.split():
        _WORD_BITS[_word] = _WORD_BITS.get(_word, 0) | (1 << _place)
_TOKEN = re.compile(r"[A-Z]?[a-z]+|[A-Z]{2,}")


def class_words(names: str) -> tuple[str, ...]:
    """`article-body__text relatedPosts` -> `article`, `body`, `text`, `related`, `posts`, and each pair as one word."""
    words = [word.lower() for word in _TOKEN.findall(names)]
    joined = ["".join(pair) for pair in pairwise(words)]
    return tuple(dict.fromkeys(words + joined))


@lru_cache(maxsize=16_384)
def group_bits(names: str) -> int:
    """Bits of the groups that a class and id belong to."""
    bits = 0
    for word in class_words(names):
        bits |= _WORD_BITS.get(word, 0)
    return bits
