"""newsbeam: streaming ingestion of live news on Apache Beam.

What is named here is the public interface; it changes only with a note in the CHANGELOG. Modules below
`newsbeam.transforms` and `newsbeam.pipeline` may change with any release.

For single texts, without a pipeline: `clean`, `clean_all`, `compare`, `tag`. For a pipeline of one's own: `ReadFeeds`,
`CleanArticles`, `TagTopics`, `MarkDuplicates`, `LinkStories`, `WriteArticles`. The records: `Page`, `Article`, `Topic`,
`RemovedBlock`, `DeadLetter`, `Outcome`. The errors: `NewsbeamError`, and `Rejected` for an input that is no article.
`FlowingRunner` is the local engine, on which a live pipeline flows: Beam's own runs one stage after the other.

This folder is what `import newsbeam` gives; `setup.py` installs `pipeline/`, `transforms/` and `configs/` inside it.
Names are loaded when they are first used, so that `import newsbeam` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from newsbeam.articles import clean, clean_all, compare, tag
    from newsbeam.pipeline.runners.flowing_runner import FlowingRunner
    from newsbeam.stages import (
        CleanArticles,
        DeadLetters,
        LinkStories,
        MarkDuplicates,
        ReadFeeds,
        TagTopics,
        WriteArticles,
    )
    from newsbeam.transforms.model.errors import NewsbeamError, Rejected
    from newsbeam.transforms.model.records import Article, DeadLetter, Outcome, Page, RemovedBlock, Topic

_HOME = {
    **dict.fromkeys(("clean", "clean_all", "compare", "tag"), "newsbeam.articles"),
    **dict.fromkeys(("CleanArticles", "DeadLetters", "LinkStories", "MarkDuplicates"), "newsbeam.stages"),
    **dict.fromkeys(("ReadFeeds", "TagTopics", "WriteArticles"), "newsbeam.stages"),
    "FlowingRunner": "newsbeam.pipeline.runners.flowing_runner",
    **dict.fromkeys(("NewsbeamError", "Rejected"), "newsbeam.transforms.model.errors"),
    **dict.fromkeys(
        ("Article", "DeadLetter", "Outcome", "Page", "RemovedBlock", "Topic"), "newsbeam.transforms.model.records"
    ),
}

__all__ = [
    "Article",
    "CleanArticles",
    "DeadLetter",
    "DeadLetters",
    "FlowingRunner",
    "LinkStories",
    "MarkDuplicates",
    "NewsbeamError",
    "Outcome",
    "Page",
    "ReadFeeds",
    "Rejected",
    "RemovedBlock",
    "TagTopics",
    "Topic",
    "WriteArticles",
    "__version__",
    "clean",
    "clean_all",
    "compare",
    "tag",
]


def __getattr__(name: str) -> Any:
    """Loads a public name from the module that defines it (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'newsbeam' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
