"""The tables of the ledger, all of them, as they are now. How older files become so: `migrations`."""

VERSION = 2
"""Kept in `PRAGMA user_version`."""

UNITS = """
-- each input: where it was discovered, and how it ended
CREATE TABLE IF NOT EXISTS units (
    unit TEXT PRIMARY KEY,
    noted_in TEXT NOT NULL DEFAULT '',
    settled_in TEXT NOT NULL DEFAULT '',
    outcome TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    url TEXT NOT NULL DEFAULT '',
    article_id TEXT NOT NULL DEFAULT '',
    of TEXT NOT NULL DEFAULT '',
    lines_removed INTEGER NOT NULL DEFAULT 0,
    published_at TEXT,
    settled_at REAL
);
CREATE INDEX IF NOT EXISTS units_by_run ON units (noted_in, settled_in, outcome);
"""

LOGS = """
-- what stages with memory have learnt
CREATE TABLE IF NOT EXISTS logs (
    stage TEXT NOT NULL, shard INTEGER NOT NULL, number INTEGER NOT NULL, entry BLOB NOT NULL,
    PRIMARY KEY (stage, shard, number)
);
"""

FEEDS = """
-- what is known of each feed, and the entries that have no outcome yet
CREATE TABLE IF NOT EXISTS feeds (
    feed_url TEXT PRIMARY KEY, state BLOB NOT NULL, known BLOB NOT NULL DEFAULT x''
);
CREATE TABLE IF NOT EXISTS entries (unit TEXT PRIMARY KEY, seen_at TEXT NOT NULL, payload TEXT NOT NULL);
"""

MESSAGES = """
-- messages of topics that have no outcome yet
CREATE TABLE IF NOT EXISTS messages (unit TEXT PRIMARY KEY, seen_at TEXT NOT NULL);
"""

REVISIONS = """
-- the number that each content of an article has, whichever run met it first
CREATE TABLE IF NOT EXISTS revisions (
    article_id TEXT NOT NULL, revision INTEGER NOT NULL, content TEXT NOT NULL, seen REAL,
    PRIMARY KEY (article_id, revision)
) WITHOUT ROWID;
"""

REFUSED = """
-- records and dead letters that a sink will not take, whole
CREATE TABLE IF NOT EXISTS refused (
    sink TEXT NOT NULL, record_key TEXT NOT NULL, run TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (sink, record_key)
) WITHOUT ROWID;
"""
