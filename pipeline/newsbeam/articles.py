"""Single texts, without a pipeline: clean a page, compare two texts, tag a text."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from functools import lru_cache
from typing import Optional, Union

from newsbeam.transforms.cleaning.clean_articles import ExtractOptions, cleaner, cleaning_steps
from newsbeam.transforms.duplicates import Explanation, explain_pair
from newsbeam.transforms.language import LanguageConfig, identify_language
from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.identity import identify
from newsbeam.transforms.model.records import Article, DeadLetter, Page, Topic
from newsbeam.transforms.runtime.dead_letters import dead_letter
from newsbeam.transforms.runtime.steps import Steps
from newsbeam.transforms.topics import Tagger, TopicsConfig, tag_topics


def clean(html: Union[str, bytes], *, url: str = "", fetched_at: Optional[str] = None) -> Article:
    """Returns the article of one page: its text without boilerplate, and all that the page says of it.

    The page is parsed in this process. For pages that you did not choose use `clean_all`, which limits the time and the
    memory that a page may take.

    Args:
        html: the page; as bytes, its encoding is found as a browser would.
        url: its address, which helps to find dates and the publisher, and makes the article's id.
        fetched_at: when it was fetched (ISO 8601, UTC); no date of the article may be much later.

    Raises:
        Rejected: there is no article in it; `reason` is a word for programs, the message is for people.

    >>> import newsbeam
    >>> article = newsbeam.clean(
    ...     '''<html lang="en"><head><title>Bridge closed</title></head><body>
    ...     <nav><a href="/">Home</a> <a href="/sport">Sport</a></nav>
    ...     <article><h1>Bridge closed</h1><time datetime="2024-03-25T19:08Z">25 March</time>
    ...     <p>The old bridge over the river was closed on Monday, the town said in a statement that evening.</p>
    ...     <p>Engineers had found cracks in two of its pillars; repairs will last until the spring of next year.</p>
    ...     <p>Photo: Ann Example</p></article></body></html>''',
    ...     url="https://news.example/bridge",
    ... )
    >>> article.title, article.published_at, article.language
    ('Bridge closed', '2024-03-25T19:08Z', 'en')
    >>> article.text.startswith("The old bridge over the river was closed")
    True
    >>> [(block.rule, block.text) for block in article.removed_blocks if "Photo" in block.text]
    [('caption', 'Photo: Ann Example')]
    """
    page = _page(url, html, fetched_at)
    article: Article = _steps()(page)
    return article


def clean_all(
    pages: Iterable[tuple[str, Union[str, bytes]]], *, workers: int = 1, seconds: float = 20.0, memory_mb: int = 1024
) -> Iterator[Union[Article, DeadLetter]]:
    """Yields, for each page and in their order, its article, or a dead letter that says why there is none.

    Pages are parsed in child processes that can be killed: a hostile page costs one dead letter.

    Args:
        pages: (address, page); read as they are needed.
        workers: child processes; each uses a core.
        seconds: of CPU that one page may take.
        memory_mb: resident memory of one process.

    >>> import newsbeam
    >>> page = "<html><body><article><h1>Rain</h1>" + "<p>It rained all day in the north, as said before.</p>" * 5
    >>> for result in newsbeam.clean_all([("https://news.example/rain", page), ("https://news.example/empty", " ")]):
    ...     print(type(result).__name__, getattr(result, "title", "") or getattr(result, "reason", ""))
    Article Rain
    DeadLetter empty
    """
    options = ExtractOptions(workers=workers, seconds=seconds, memory_mb=memory_mb)
    under_way: deque[tuple[Page, Future[Article]]] = deque()
    with cleaner(options, LanguageConfig(), TopicsConfig()).open() as sandbox:
        for url, html in pages:
            page = _page(url, html, None)
            under_way.append((page, sandbox.submit(page)))
            if len(under_way) > 8 * workers:
                yield _result(*under_way.popleft())
        while under_way:
            yield _result(*under_way.popleft())


def compare(earlier: Union[str, Article], later: Union[str, Article]) -> Explanation:
    """Returns what speaks for and against one of two texts being a copy of the other: `verdict` and `reasons`.

    Args:
        earlier, later: texts, or articles that `clean` made.

    >>> import newsbeam
    >>> story = "The old bridge over the river was closed on Monday, the town said in a statement that evening. " * 4
    >>> newsbeam.compare(story, story.upper()).verdict
    'exact'
    >>> other = "A crane fell on the quay when the wind rose at night, and nobody was hurt, the police said. "
    >>> newsbeam.compare(story, other * 4).verdict
    'unrelated'
    """
    one, other = (
        text if isinstance(text, Article) else identify(Article(id="", url=f"https://text.invalid/{number}", text=text))
        for number, text in enumerate((earlier, later))
    )
    return explain_pair(one, other)


def tag(text: str, *, title: str = "", language: str = "") -> tuple[Topic, ...]:
    """Returns the topics of a text (IPTC Media Topics), the likeliest first; none where nothing is likely.

    Args:
        title: its headline, which tells more than the text does.
        language: BCP 47; found from the text if it is not given.

    >>> import newsbeam
    >>> topics = newsbeam.tag("The striker scored twice as the champions won the football cup final on penalties.")
    >>> topics[0].uri, topics[0].name
    ('medtop:15000000', 'sport')
    """
    article = Article(id="", url="", title=title, text=text, language=language or "und")
    if not language:
        article = identify_language(article)
    return tuple(tag_topics(article, Tagger()).topics)


@lru_cache(maxsize=1)
def _steps() -> Steps:
    return cleaning_steps(LanguageConfig(), TopicsConfig())


def _page(url: str, html: Union[str, bytes], fetched_at: Optional[str]) -> Page:
    if isinstance(html, bytes):
        return Page(url=url, body=html, content_type="text/html", fetched_at=fetched_at)
    body = html.encode("utf-8", "surrogatepass")
    return Page(url=url, body=body, content_type="text/html", charset="utf-8", fetched_at=fetched_at)


def _result(page: Page, cleaned: "Future[Article]") -> Union[Article, DeadLetter]:
    try:
        return cleaned.result()
    except Rejected as rejected:
        return dead_letter("extract", page, rejected)
