/**
 * The schema, one step a version; a step that was released never changes. `user_version` says how many were taken.
 *
 * The list and its results are two tables, so that settling only appends: results lie in the order of their
 * positions, which is the order in which cursors read them. What is not settled yet is told by the chunks: a row
 * is in exactly one chunk or has exactly one result.
 */

export const applicationId = 0x72_63_70_74; // "rcpt"

export const migrations: readonly string[] = [
  `
  CREATE TABLE job (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT NOT NULL UNIQUE,
    name            TEXT,
    -- LOADING and ERASING are seen by nobody: a crash in either is finished when the store opens.
    state           TEXT NOT NULL CHECK (state IN ('LOADING', 'QUEUED', 'RUNNING', 'COMPLETED', 'CANCELLED', 'ERASING')),
    created_at      INTEGER NOT NULL,
    started_at      INTEGER,
    ended_at        INTEGER,
    expires_at      INTEGER NOT NULL,
    idempotency_key TEXT,
    input_hash      TEXT,
    total           INTEGER NOT NULL DEFAULT 0,
    settled         INTEGER NOT NULL DEFAULT 0,
    waiting         INTEGER NOT NULL DEFAULT 0,
    deliverable     INTEGER NOT NULL DEFAULT 0,
    undeliverable   INTEGER NOT NULL DEFAULT 0,
    risky           INTEGER NOT NULL DEFAULT 0,
    unknown         INTEGER NOT NULL DEFAULT 0,
    duplicates      INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE UNIQUE INDEX job_by_key ON job (idempotency_key)
    WHERE idempotency_key IS NOT NULL AND state NOT IN ('LOADING', 'ERASING');

  CREATE TABLE list_row (
    job      INTEGER NOT NULL,
    row      INTEGER NOT NULL,
    address  TEXT NOT NULL,
    domain   TEXT NOT NULL,
    original INTEGER,
    PRIMARY KEY (job, row)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX list_row_by_original ON list_row (job, original) WHERE original IS NOT NULL;

  CREATE TABLE chunk (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    job         INTEGER NOT NULL,
    ordinal     INTEGER NOT NULL,
    -- 0 while its job is loading, 1 when it waits for its time, 2 when it may be taken.
    readiness   INTEGER NOT NULL,
    not_before  INTEGER NOT NULL,
    tries       INTEGER NOT NULL DEFAULT 0,
    attempt     INTEGER NOT NULL DEFAULT 0,
    -- A JSON array of row numbers: those that are not settled.
    rows        TEXT NOT NULL,
    row_count   INTEGER NOT NULL,
    lease       TEXT,
    lease_until INTEGER
  ) STRICT;
  CREATE INDEX chunk_by_ordinal ON chunk (readiness, ordinal, id) WHERE lease IS NULL;
  CREATE INDEX chunk_by_time ON chunk (readiness, not_before) WHERE lease IS NULL;
  CREATE INDEX chunk_by_lease ON chunk (lease_until) WHERE lease IS NOT NULL;
  CREATE INDEX chunk_by_job ON chunk (job, tries, not_before);

  CREATE TABLE result (
    job            INTEGER NOT NULL,
    position       INTEGER NOT NULL,
    row            INTEGER NOT NULL,
    status         TEXT NOT NULL,
    reason         TEXT NOT NULL,
    score          INTEGER NOT NULL,
    provider       TEXT,
    exchange       TEXT,
    reply_code     INTEGER,
    reply_enhanced TEXT,
    reply_text     TEXT,
    checked_at     INTEGER NOT NULL,
    PRIMARY KEY (job, position)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX result_by_row ON result (job, row);
  CREATE INDEX result_by_status ON result (job, status, position);

  -- What a breakdown counts, kept up to date with every settling: a million rows are never scanned for it.
  CREATE TABLE tally (
    job         INTEGER NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('reason', 'provider', 'domain')),
    key         TEXT NOT NULL,
    count       INTEGER NOT NULL,
    deliverable INTEGER NOT NULL,
    PRIMARY KEY (job, kind, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tally_by_count ON tally (job, kind, count DESC, key);

  CREATE TABLE verification (
    address    TEXT NOT NULL PRIMARY KEY,
    checked_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    body       TEXT NOT NULL
  ) STRICT;
  CREATE INDEX verification_by_expiry ON verification (expires_at);
  `,
  // Lists with their other columns, pauses, uploads, webhooks.
  `
  -- A CHECK cannot be changed in place (https://sqlite.org/lang_altertable.html, "other kinds of changes").
  CREATE TABLE job_next (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT NOT NULL UNIQUE,
    name            TEXT,
    -- LOADING and ERASING are seen by nobody: a crash in either is finished when the store opens.
    state           TEXT NOT NULL
      CHECK (state IN ('LOADING', 'QUEUED', 'RUNNING', 'PAUSED', 'COMPLETED', 'CANCELLED', 'ERASING')),
    created_at      INTEGER NOT NULL,
    started_at      INTEGER,
    ended_at        INTEGER,
    expires_at      INTEGER NOT NULL,
    idempotency_key TEXT,
    input_hash      TEXT,
    list_format     TEXT NOT NULL DEFAULT 'INLINE' CHECK (list_format IN ('INLINE', 'TXT', 'CSV', 'NDJSON')),
    file_name       TEXT,
    -- A JSON array of names.
    columns         TEXT NOT NULL DEFAULT '["address"]',
    address_column  INTEGER NOT NULL DEFAULT 0,
    max_age         INTEGER,
    webhook_url     TEXT,
    webhook_secret  TEXT,
    webhook_tells_progress INTEGER NOT NULL DEFAULT 0,
    stored_bytes    INTEGER NOT NULL DEFAULT 0,
    total           INTEGER NOT NULL DEFAULT 0,
    settled         INTEGER NOT NULL DEFAULT 0,
    waiting         INTEGER NOT NULL DEFAULT 0,
    deliverable     INTEGER NOT NULL DEFAULT 0,
    undeliverable   INTEGER NOT NULL DEFAULT 0,
    risky           INTEGER NOT NULL DEFAULT 0,
    unknown         INTEGER NOT NULL DEFAULT 0,
    duplicates      INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  INSERT INTO job_next (number, id, name, state, created_at, started_at, ended_at, expires_at, idempotency_key, input_hash,
      total, settled, waiting, deliverable, undeliverable, risky, unknown, duplicates, stored_bytes)
    SELECT number, id, name, state, created_at, started_at, ended_at, expires_at, idempotency_key, input_hash,
      total, settled, waiting, deliverable, undeliverable, risky, unknown, duplicates,
      (SELECT coalesce(sum(octet_length(address)), 0) FROM list_row WHERE list_row.job = job.number)
      + (SELECT coalesce(sum(octet_length(concat(provider, exchange, reply_enhanced, reply_text))), 0)
         FROM result WHERE result.job = job.number)
    FROM job;
  -- The number of a job that was erased is not given again.
  DELETE FROM sqlite_sequence WHERE name = 'job_next';
  INSERT INTO sqlite_sequence (name, seq) SELECT 'job_next', seq FROM sqlite_sequence WHERE name = 'job';
  DROP TABLE job;
  ALTER TABLE job_next RENAME TO job;
  CREATE UNIQUE INDEX job_by_key ON job (idempotency_key)
    WHERE idempotency_key IS NOT NULL AND state NOT IN ('LOADING', 'ERASING');

  -- chunk.readiness 3: while its job is paused. Chunks of jobs that are passed over are skipped within the index.
  ALTER TABLE chunk ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;
  DROP INDEX chunk_by_ordinal;
  CREATE INDEX chunk_by_ordinal ON chunk (readiness, ordinal, id, job) WHERE lease IS NULL;

  -- A JSON array of the caller's row as it was; NULL when the address is all there is.
  ALTER TABLE list_row ADD COLUMN cells TEXT;

  -- A reason has one status, so that what is asked by status is read by its reasons. Which position a row has is
  -- worked out when somebody walks the list (row-positions.ts): an index by row was half of what settling wrote.
  DROP INDEX result_by_status;
  DROP INDEX result_by_row;
  CREATE INDEX result_by_reason ON result (job, reason, position);

  CREATE TABLE upload (
    id         TEXT NOT NULL PRIMARY KEY,
    owner      TEXT,
    file_name  TEXT,
    state      TEXT NOT NULL CHECK (state IN ('OPEN', 'COMPLETE', 'USED')),
    size       INTEGER,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    sha256     TEXT
  ) STRICT;
  CREATE INDEX upload_by_expiry ON upload (expires_at);

  CREATE TABLE delivery (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT NOT NULL UNIQUE,
    job             INTEGER NOT NULL,
    event           TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('PENDING', 'DELIVERED', 'FAILED')),
    created_at      INTEGER NOT NULL,
    next_attempt_at INTEGER,
    -- While somebody is at it.
    lease_until     INTEGER,
    -- A JSON array, oldest first.
    attempts        TEXT NOT NULL DEFAULT '[]',
    -- Of the moment of the event; the counters as JSON.
    job_state       TEXT NOT NULL,
    counters        TEXT NOT NULL
  ) STRICT;
  CREATE INDEX delivery_by_job ON delivery (job, number);
  CREATE INDEX delivery_by_time ON delivery (next_attempt_at) WHERE state = 'PENDING';

  CREATE TABLE secret (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
  ) STRICT;
  `,
  // Whose a job is.
  `
  ALTER TABLE job ADD COLUMN owner TEXT;
  -- In the order of numbers, which every index ends with.
  CREATE INDEX job_by_owner ON job (owner) WHERE owner IS NOT NULL;
  `,
];
