"""The tables of `postgresql://`, and how older ones become newer."""

from collections.abc import Sequence
from typing import Optional, get_type_hints

import psycopg

from newsbeam.transforms.model.errors import SinkError
from newsbeam.transforms.model.records import Article
from newsbeam.transforms.model.serialization import ARTICLE_FIELDS, DEAD_LETTER_FIELDS

VERSION = 2
"""Kept in the table `newsbeam_schema`. New fields of the record become columns by themselves."""

LOCK = 7_311_850_117
"""Advisory lock that one migration holds at a time: any number that no other program uses."""

WRITERS_LOCK = 731_185_012
"""Advisory lock of a transaction that writes articles: the first of two keys, the second is the schema."""

_SQL_TYPE: dict[object, str] = {
    str: "text",
    Optional[str]: "text",
    int: "bigint",
    Optional[int]: "bigint",
    Optional[bool]: "boolean",
    Optional[float]: "double precision",
}


def columns() -> dict[str, str]:
    """Column -> SQL type for each published field; lists are jsonb."""
    kinds = get_type_hints(Article)
    return {name: _SQL_TYPE.get(kinds[name], "jsonb") for name in ARTICLE_FIELDS}


_FIRST = (
    f"""CREATE TABLE articles (
    {", ".join(f"{name} {kind}{' PRIMARY KEY' if name == 'id' else ''}" for name, kind in columns().items())}
)""",
    # 'simple' knows no language: news comes in all of them. A tsvector holds 1 MB at most.
    """CREATE INDEX articles_search ON articles
    USING gin (to_tsvector('simple', left(coalesce(title, '') || ' ' || coalesce(text, ''), 100000)))""",
    "CREATE INDEX articles_by_story ON articles (story_id)",
    "CREATE INDEX articles_by_time ON articles (first_seen_at)",
    """CREATE TABLE article_revisions (
    id text, revision bigint, record jsonb NOT NULL, PRIMARY KEY (id, revision)
)""",
    f"""CREATE TABLE dead_letters (
    {", ".join(f"{name} {'bigint' if name == 'attempts' else 'text'}" for name in DEAD_LETTER_FIELDS)},
    PRIMARY KEY (unit, stage, reason, url, feed_url)
)""",
    # a trigger, so that a superseded revision is kept whichever worker supersedes it, at the moment it does
    """CREATE FUNCTION keep_article_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO article_revisions VALUES (OLD.id, OLD.revision, to_jsonb(OLD))
    ON CONFLICT (id, revision) DO UPDATE SET record = excluded.record;
    RETURN NULL;
END $$""",
    """CREATE TRIGGER article_superseded AFTER UPDATE ON articles FOR EACH ROW
    WHEN (NEW.revision > OLD.revision) EXECUTE FUNCTION keep_article_revision()""",
)

_SECOND = (
    # whatever takes the place of another revision, also one that was seen later and has a lower number
    "DROP TRIGGER article_superseded ON articles",
    """CREATE TRIGGER article_superseded AFTER UPDATE ON articles FOR EACH ROW
    WHEN (NEW.revision <> OLD.revision) EXECUTE FUNCTION keep_article_revision()""",
)

_VIEWS = (
    "DROP VIEW IF EXISTS stories",
    """CREATE VIEW stories AS
    SELECT coalesce(story_id, id) AS story_id,
           min(coalesce(first_seen_at, fetched_at, published_at)) AS first_seen,
           max(coalesce(first_seen_at, fetched_at, published_at)) AS last_seen,
           count(*) AS articles,
           count(*) FILTER (WHERE duplicate_kind IN ('exact', 'near', 'syndicated', 'excerpt')) AS copies,
           count(DISTINCT coalesce(nullif(publisher, ''), nullif(domain, ''))) AS outlets,
           string_agg(title, chr(10) ORDER BY coalesce(first_seen_at, fetched_at, published_at), id) AS titles
    FROM articles GROUP BY coalesce(story_id, id)""",
    "DROP VIEW IF EXISTS latest",
    """CREATE VIEW latest AS
    SELECT coalesce(published_at, first_seen_at, fetched_at) AS at,
           publisher, domain, language, title, url, story_id, id
    FROM articles WHERE duplicate_kind IN ('unique', 'revision')
    ORDER BY at DESC NULLS LAST, id""",
)

MIGRATIONS: Sequence[Sequence[str]] = (_FIRST, _SECOND)
"""Step n takes a database of version n to n + 1."""


def migrate(connection: psycopg.Connection) -> None:
    """Brings the schema that the connection's search path names, new or old, to this version.

    Raises:
        SinkError: the tables were made by a newer newsbeam, or by something else.
        psycopg.Error: the server said no.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        cursor.execute("CREATE TABLE IF NOT EXISTS newsbeam_schema (version bigint NOT NULL)")
        found = cursor.execute("SELECT max(version) FROM newsbeam_schema").fetchone()
        version: int = (found and found[0]) or 0
        if version > VERSION:
            raise SinkError(f"the tables have schema {version}, this newsbeam knows {VERSION}: use a newer newsbeam")
        if version == 0 and cursor.execute("SELECT to_regclass('articles')").fetchone() != (None,):
            raise SinkError("there is a table 'articles' that newsbeam did not make: name another database or schema")
        for step in MIGRATIONS[version:]:
            for statement in step:
                cursor.execute(statement.encode())
        have = {
            row[0]
            for row in cursor.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = 'articles'::regclass AND attnum > 0"
            )
        }
        added = [name for name in columns() if name not in have]
        for name in added:
            cursor.execute(f"ALTER TABLE articles ADD COLUMN {name} {columns()[name]}".encode())
        if version < VERSION or added:
            for statement in _VIEWS:
                cursor.execute(statement.encode())
        if version < VERSION:
            cursor.execute("INSERT INTO newsbeam_schema VALUES (%s)", (VERSION,))
