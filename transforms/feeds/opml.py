"""Lists of feeds in OPML (http://opml.org/spec2.opml), which are ill-formed more often than not."""

from urllib.parse import urljoin

from transforms.dead_letters import Rejected
from transforms.feeds.document import FurtherDocument
from transforms.feeds.draft import Draft
from transforms.feeds.text import clean_spaces
from transforms.feeds.xml_text import lenient_tree, local_name


def read_opml(text: str, base: str) -> Draft:
    """Reads a list of feeds, nested or not; each address once. Raises `Rejected("malformed")`."""
    root = lenient_tree(text)
    found: dict[str, FurtherDocument] = {}
    title = ""
    for element in root.iter():
        name = local_name(element)
        if name == "title" and not title:
            title = clean_spaces(element.text or "")
        if name != "outline":
            continue
        attributes = {key.rpartition("}")[2].lower(): value for key, value in element.attrib.items()}
        address = clean_spaces(attributes.get("xmlurl", ""))
        if not address:
            continue
        try:
            address = urljoin(base, address)
        except ValueError:
            continue
        if address.lower().startswith(("http://", "https://")):
            label = clean_spaces(attributes.get("title") or attributes.get("text") or "")
            found.setdefault(address, FurtherDocument(address, "feed", label))
    if not found and local_name(root) != "opml":
        raise Rejected("malformed", f"the root should be <opml>, not <{local_name(root)}>")
    return Draft("opml", title, further=tuple(found.values()))
