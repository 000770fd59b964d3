"""The tables of `sqlite:`: what a person queries, and how an older file becomes a newer one."""

import sqlite3
from collections.abc import Sequence
from typing import Optional, get_type_hints

from newsbeam.transforms.model.errors import SinkError
from newsbeam.transforms.model.records import Article
from newsbeam.transforms.model.serialization import ARTICLE_FIELDS, DEAD_LETTER_FIELDS
from newsbeam.transforms.runtime.database import statements, write_transaction

VERSION = 1
"""Kept in `PRAGMA user_version`. New fields of the record become columns by themselves and need no new version."""

_SQL_TYPE = {str: "TEXT", int: "INTEGER", Optional[int]: "INTEGER", Optional[bool]: "INTEGER", Optional[float]: "REAL"}


def columns() -> dict[str, str]:
    """Column -> SQL type for each published field; lists are JSON text."""
    kinds = get_type_hints(Article)
    return {name: _SQL_TYPE.get(kinds[name], "TEXT") for name in ARTICLE_FIELDS}


def list_columns() -> frozenset[str]:
    """The columns whose value is JSON text."""
    plain = (str, int, Optional[str], Optional[int], Optional[bool], Optional[float])
    return frozenset(name for name, kind in get_type_hints(Article).items() if kind not in plain)


def flag_columns() -> frozenset[str]:
    """The columns that hold 0 or 1."""
    return frozenset(name for name, kind in get_type_hints(Article).items() if kind == Optional[bool])


_SEARCH = """
CREATE VIRTUAL TABLE articles_fts USING fts5(
    title, text, content='articles', content_rowid='doc', tokenize='unicode61 remove_diacritics 2'
);
CREATE TRIGGER articles_inserted AFTER INSERT ON articles BEGIN
    INSERT INTO articles_fts(rowid, title, text) VALUES (new.doc, new.title, new.text);
END;
CREATE TRIGGER articles_deleted AFTER DELETE ON articles BEGIN
    INSERT INTO articles_fts(articles_fts, rowid, title, text) VALUES ('delete', old.doc, old.title, old.text);
END;
CREATE TRIGGER articles_updated AFTER UPDATE ON articles BEGIN
    INSERT INTO articles_fts(articles_fts, rowid, title, text) VALUES ('delete', old.doc, old.title, old.text);
    INSERT INTO articles_fts(rowid, title, text) VALUES (new.doc, new.title, new.text);
END;
"""

VIEWS = """
DROP VIEW IF EXISTS stories;
CREATE VIEW stories AS
    -- one event a row: who reported it, when it was first seen, under which titles
    SELECT coalesce(story_id, id) AS story_id,
           min(coalesce(first_seen_at, fetched_at, published_at)) AS first_seen,
           max(coalesce(first_seen_at, fetched_at, published_at)) AS last_seen,
           count(*) AS articles,
           sum(duplicate_kind IN ('exact', 'near', 'syndicated', 'excerpt')) AS copies,
           count(DISTINCT coalesce(nullif(publisher, ''), nullif(domain, ''))) AS outlets,
           group_concat(title, char(10)) AS titles
    FROM (SELECT * FROM articles ORDER BY coalesce(first_seen_at, fetched_at, published_at), id)
    GROUP BY coalesce(story_id, id);
DROP VIEW IF EXISTS latest;
CREATE VIEW latest AS
    -- the newest first, without copies
    SELECT coalesce(published_at, first_seen_at, fetched_at) AS at,
           publisher, domain, language, title, url, story_id, id
    FROM articles WHERE duplicate_kind IN ('unique', 'revision')
    ORDER BY at DESC, id;
"""

_TABLES = f"""
CREATE TABLE articles (
    doc INTEGER PRIMARY KEY,
    {", ".join(f"{name} {kind}{' NOT NULL UNIQUE' if name == 'id' else ''}" for name, kind in columns().items())}
);
CREATE TABLE revisions (
    id TEXT NOT NULL, revision INTEGER NOT NULL, title TEXT, content_hash TEXT, record TEXT NOT NULL,
    PRIMARY KEY (id, revision)
) WITHOUT ROWID;
CREATE TABLE dead_letters (
    {", ".join(f"{name} {'INTEGER' if name == 'attempts' else 'TEXT'}" for name in DEAD_LETTER_FIELDS)},
    PRIMARY KEY (unit, stage, reason, url, feed_url)
);
CREATE INDEX articles_by_story ON articles (story_id);
CREATE INDEX articles_by_time ON articles (first_seen_at);
"""

MIGRATIONS: Sequence[str] = (_TABLES + _SEARCH,)
"""Step n takes a file of version n to n + 1."""


def migrate(connection: sqlite3.Connection) -> None:
    """Brings a database, new or old, to this version.

    Raises:
        SinkError: the file was made by a newer newsbeam, or by something else.
        sqlite3.DatabaseError: the file is damaged or no database.
    """
    with write_transaction(connection):
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise SinkError(f"the database has schema {version}, this newsbeam knows {VERSION}: use a newer newsbeam")
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if version == 0 and "articles" in tables:
            raise SinkError("the database has a table 'articles' that newsbeam did not make: name another file")
        for step in MIGRATIONS[version:]:
            for statement in statements(step):
                connection.execute(statement)
        have = {row[1] for row in connection.execute("PRAGMA table_info(articles)")}
        added = [name for name in columns() if name not in have]
        for name in added:
            connection.execute(f"ALTER TABLE articles ADD COLUMN {name} {columns()[name]}")
        if version < VERSION or added:
            for statement in statements(VIEWS):
                connection.execute(statement)
        if version < VERSION:
            connection.execute(f"PRAGMA user_version = {VERSION}")
