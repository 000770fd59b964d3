"""The language of an article: `identify_language` is the pure function, `IdentifyLanguage` the stage."""

from transforms.language.identify import (
    IdentifyLanguage,
    Language,
    LanguageConfig,
    detect,
    identify_language,
)

__all__ = ["IdentifyLanguage", "Language", "LanguageConfig", "detect", "identify_language"]
