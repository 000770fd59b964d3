"""From a page to a clean article: extraction, boilerplate, language and topics in one stage."""
