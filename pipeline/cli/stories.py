"""`newsbeam stories`: the current stories and who tells them."""

from newsbeam.pipeline.cli.records_in import database

_STORIES = """
    SELECT story_id, first_seen, last_seen, articles, copies, outlets,
           substr(titles, 1, instr(titles || char(10), char(10)) - 1) AS title
    FROM stories WHERE outlets >= :outlets ORDER BY outlets DESC, last_seen DESC, story_id LIMIT :limit
"""
_OUTLETS = """
    SELECT DISTINCT coalesce(nullif(publisher, ''), nullif(domain, ''), raw_ref) AS outlet FROM articles
    WHERE coalesce(story_id, id) = ? ORDER BY outlet
"""


def stories(sink: str, limit: int, outlets: int) -> list[str]:
    """One line a story, the most widely told first: how many articles, its first title, its outlets.

    Args:
        sink: a `sqlite:` sink.
        limit: how many stories at most.
        outlets: leave out stories that fewer outlets tell.
    """
    lines = []
    with database(sink) as connection:
        for row in connection.execute(_STORIES, {"limit": limit, "outlets": outlets}).fetchall():
            names = [name for (name,) in connection.execute(_OUTLETS, (row["story_id"],))]
            copies = f", {row['copies']} copies" if row["copies"] else ""
            lines.append(f"{row['story_id']}  {row['first_seen'] or 'no date'}  {row['title']}")
            lines.append(f"    {row['articles']} articles{copies}: {', '.join(names)}")
    return lines
