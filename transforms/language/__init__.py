"""The language of an article: `identify_language`, and `LanguageIdentifier` for a stage. Knows nothing of Beam."""

from newsbeam.transforms.language.identify import (
    Language,
    LanguageConfig,
    LanguageIdentifier,
    detect,
    identify_language,
)

__all__ = ["Language", "LanguageConfig", "LanguageIdentifier", "detect", "identify_language"]
