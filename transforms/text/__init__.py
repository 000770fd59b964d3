"""Text, whatever it is part of: words, characters, scripts, charsets, dates."""
