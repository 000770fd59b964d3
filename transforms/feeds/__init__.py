"""Documents that say what is new: RSS, Atom, RDF, JSON Feed, sitemaps, OPML and home pages."""
