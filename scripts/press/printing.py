"""Renders stories as pages and feeds."""

import datetime
import html
import json
import string
from email.utils import format_datetime

from scripts.press.publishing import Press, Printed
from scripts.press.stories import MATERIAL, Story, material

_PAGE = string.Template((MATERIAL / "page.html").read_text(encoding="utf-8"))


def moment(epoch: float, at: float) -> datetime.datetime:
    """Converts a moment of the press, whose clock began at `epoch` (seconds since 1970), to a time."""
    return datetime.datetime.fromtimestamp(int(epoch + at), datetime.timezone.utc)


def _title(story: Story, printed: Printed) -> str:
    edited = f" [{material(story.language)['furniture']['edited']}]" if printed.edited_at else ""
    return story.headline + edited


def _paragraphs(story: Story, printed: Printed) -> list[str]:
    return [*story.paragraphs, *([story.correction] if printed.edited_at else [])]


def page(press: Press, printed: Printed, epoch: float) -> bytes:
    """Renders the page of a story with its menus, teasers and footer."""
    story = press.story(printed.number)
    furniture = material(story.language)["furniture"]
    title, url = _title(story, printed), press.page_url(printed)
    published = moment(epoch, printed.at).isoformat()
    outlet = f"Paper {printed.feed % press.plan.hosts}"
    others = [entry for entry in press.entries(printed.feed) if entry.number != printed.number][:5]
    json_ld = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": title,
        "datePublished": published,
        "author": {"@type": "Person", "name": story.author},
        "publisher": {"@type": "Organization", "name": outlet},
        "articleSection": story.section,
        "inLanguage": story.language,
        "isAccessibleForFree": True,
    }
    if printed.edited_at:
        json_ld["dateModified"] = moment(epoch, printed.edited_at).isoformat()
    plain = {
        "language": story.language,
        "title": title,
        "url": url,
        "feed_url": press.feed_url(printed.feed),
        "outlet": outlet,
        "section": story.section,
        "published": published,
        "author": story.author,
        "caption": story.caption,
        "number": str(printed.number),
        **{name: furniture[name] for name in ("cookies", "by", "newsletter", "related", "footer")},
    }
    return _PAGE.substitute(
        {name: html.escape(value) for name, value in plain.items()},
        json_ld=json.dumps(json_ld, ensure_ascii=False).replace("</", "<\\/"),
        menu="".join(f'<li><a href="/{number}">{item}</a></li>' for number, item in enumerate(furniture["menu"])),
        paragraphs="\n".join(f"<p>{html.escape(text)}</p>" for text in _paragraphs(story, printed)),
        teasers="".join(
            f'<li class="teaser"><a href="{press.page_url(other)}">'
            f"{html.escape(press.story(other.number).headline)}</a></li>"
            for other in others
        ),
    ).encode()


def feed(press: Press, number: int, epoch: float) -> tuple[bytes, str]:
    """Renders a feed and returns it with its media type: RSS, Atom or JSON Feed, by the feed's number."""
    entries = press.entries(number)
    kind = (_rss, _rss, _atom, _json_feed)[number % 4]
    return kind(press, number, entries, epoch)


def _content(story: Story, printed: Printed) -> str:
    return "".join(f"<p>{html.escape(text)}</p>" for text in _paragraphs(story, printed)) if printed.full_text else ""


def _rss(press: Press, number: int, entries: list[Printed], epoch: float) -> tuple[bytes, str]:
    items = []
    for printed in entries:
        story = press.story(printed.number)
        content = _content(story, printed)
        items.append(
            f"<item><title>{html.escape(_title(story, printed))}</title>"
            f"<link>{press.page_url(printed)}?utm_source=rss</link>"
            f'<guid isPermaLink="false">paper-{number}-{printed.number}</guid>'
            f"<pubDate>{format_datetime(moment(epoch, printed.at), usegmt=True)}</pubDate>"
            f"<category>{html.escape(story.section)}</category>"
            f"<description>{html.escape(story.paragraphs[0][:200])}</description>"
            + (f"<content:encoded><![CDATA[{content}]]></content:encoded>" if content else "")
            + "</item>"
        )
    head = (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
        f"<title>Paper {number % press.plan.hosts}, feed {number}</title><link>http://{press.host(number)}/</link>"
        "<description>News that never happened</description>"
    )
    return f"{head}{''.join(items)}</channel></rss>".encode(), "application/rss+xml; charset=utf-8"


def _atom(press: Press, number: int, entries: list[Printed], epoch: float) -> tuple[bytes, str]:
    items = []
    for printed in entries:
        story = press.story(printed.number)
        content = _content(story, printed)
        updated = moment(epoch, printed.edited_at or printed.at).isoformat()
        items.append(
            f"<entry><title>{html.escape(_title(story, printed))}</title>"
            f'<link rel="alternate" href="{press.page_url(printed)}"/>'
            f"<id>tag:newsroom.test,2025:{number}/{printed.number}</id>"
            f"<published>{moment(epoch, printed.at).isoformat()}</published><updated>{updated}</updated>"
            f"<summary>{html.escape(story.paragraphs[0][:200])}</summary>"
            + (f'<content type="html">{html.escape(content)}</content>' if content else "")
            + "</entry>"
        )
    head = (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom">'
        f"<title>Paper {number % press.plan.hosts}, feed {number}</title><id>tag:newsroom.test,2025:{number}</id>"
        f"<updated>{moment(epoch, press.version(number)[1]).isoformat()}</updated>"
    )
    return f"{head}{''.join(items)}</feed>".encode(), "application/atom+xml"


def _json_feed(press: Press, number: int, entries: list[Printed], epoch: float) -> tuple[bytes, str]:
    items = []
    for printed in entries:
        story = press.story(printed.number)
        item = {
            "id": f"{number}/{printed.number}",
            "url": press.page_url(printed),
            "title": _title(story, printed),
            "summary": story.paragraphs[0][:200],
            "date_published": moment(epoch, printed.at).isoformat(),
            "content_html": _content(story, printed) or f"<p>{html.escape(story.paragraphs[0][:200])}</p>",
        }
        items.append(item)
    feed_ = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": f"Paper {number % press.plan.hosts}, feed {number}",
        "items": items,
    }
    return json.dumps(feed_, ensure_ascii=False).encode(), "application/feed+json"
