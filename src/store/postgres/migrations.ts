/**
 * The schema on PostgreSQL, one step a version; a step that was released never changes. All of them run in one
 * transaction under an advisory lock, so that processes that start together take turns, and one that dies half-way
 * leaves the version that was.
 *
 * The list and its results are two tables, so that settling only appends, as in SQLite. Both are cut into
 * partitions by job: what is vacuumed after a large job was erased is a sixteenth of all there is, and every look-up
 * names the job, so that it reads one of them. docs/cluster.md has the measured sizes.
 */
import type { Database } from './database.ts';
import { schema } from './database.ts';
import { factSchema } from './facts.ts';
import { postgresFault, readPostgresError } from './fault.ts';
import { laneShareSchema } from './shares.ts';

/** "rcpt" and what is locked: any number that no other program on the database takes. */
const lockKey = 0x72_63_70_74;
/** Partitions of the tables that grow with rows. */
const partitions = 16;

const partitioned = (table: string): string =>
  Array.from(
    { length: partitions },
    (_, n) =>
      `CREATE TABLE ${table}_${n} PARTITION OF ${table} FOR VALUES WITH (MODULUS ${partitions}, REMAINDER ${n});`,
  ).join('\n  ');

export const migrations: readonly string[] = [
  `
  CREATE TABLE job (
    number          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id              text NOT NULL UNIQUE,
    name            text,
    -- ERASING is seen by nobody: a crash half-way is finished by the next sweep of any process.
    state           text NOT NULL
      CHECK (state IN ('QUEUED', 'RUNNING', 'PAUSED', 'COMPLETED', 'CANCELLED', 'ERASING')),
    created_at      timestamptz NOT NULL,
    started_at      timestamptz,
    ended_at        timestamptz,
    expires_at      timestamptz NOT NULL,
    idempotency_key text,
    input_hash      text,
    list_format     text NOT NULL DEFAULT 'INLINE' CHECK (list_format IN ('INLINE', 'TXT', 'CSV', 'NDJSON')),
    file_name       text,
    -- A JSON array of names.
    columns         text NOT NULL DEFAULT '["address"]',
    address_column  int NOT NULL DEFAULT 0,
    max_age         int,
    webhook_url     text,
    webhook_secret  text,
    webhook_tells_progress boolean NOT NULL DEFAULT false,
    stored_bytes    bigint NOT NULL DEFAULT 0,
    total           int NOT NULL DEFAULT 0,
    settled         int NOT NULL DEFAULT 0,
    waiting         int NOT NULL DEFAULT 0,
    deliverable     int NOT NULL DEFAULT 0,
    undeliverable   int NOT NULL DEFAULT 0,
    risky           int NOT NULL DEFAULT 0,
    unknown         int NOT NULL DEFAULT 0,
    duplicates      int NOT NULL DEFAULT 0
  -- Each settling writes the row anew: with room on its page no index is touched.
  ) WITH (fillfactor = 50);
  CREATE UNIQUE INDEX job_by_key ON job (idempotency_key) WHERE idempotency_key IS NOT NULL AND state <> 'ERASING';
  CREATE INDEX job_by_expiry ON job (expires_at);

  CREATE TABLE list_row (
    job      bigint NOT NULL,
    row      int NOT NULL,
    original int,
    address  text NOT NULL,
    domain   text NOT NULL,
    -- A JSON array of the caller's row as it was; NULL when the address is all there is.
    cells    text,
    PRIMARY KEY (job, row)
  ) PARTITION BY HASH (job);
  CREATE INDEX list_row_by_original ON list_row (job, original) WHERE original IS NOT NULL;
  ${partitioned('list_row')}

  CREATE TABLE result (
    job            bigint NOT NULL,
    checked_at     timestamptz NOT NULL,
    position       int NOT NULL,
    row            int NOT NULL,
    score          smallint NOT NULL,
    reply_code     smallint,
    status         text NOT NULL,
    reason         text NOT NULL,
    provider       text,
    exchange       text,
    reply_enhanced text,
    reply_text     text,
    PRIMARY KEY (job, position)
  ) PARTITION BY HASH (job);
  CREATE INDEX result_by_reason ON result (job, reason, position);
  ${partitioned('result')}

  CREATE TABLE chunk (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job         bigint NOT NULL,
    ordinal     int NOT NULL,
    not_before  timestamptz NOT NULL,
    tries       int NOT NULL DEFAULT 0,
    attempt     int NOT NULL DEFAULT 0,
    -- Leases in a row that ended without a word.
    crashes     int NOT NULL DEFAULT 0,
    rows        int[] NOT NULL,
    -- Whose place in the queue: pg-boss's queue and job. NULL while its job is paused.
    queue       text NOT NULL,
    ticket      uuid,
    -- Sources that were refused by the exchanges of its rows.
    avoid       text[] NOT NULL DEFAULT '{}',
    lease       uuid,
    lease_until timestamptz,
    -- Which take of the ticket holds the lease.
    take        int NOT NULL DEFAULT 0,
    -- The last write of its holder, so that one whose answer was lost is not written twice.
    last_write  uuid
  ) WITH (fillfactor = 70);
  CREATE INDEX chunk_by_job ON chunk (job, tries, not_before);
  CREATE INDEX chunk_by_time ON chunk (queue, not_before) WHERE lease IS NULL AND ticket IS NOT NULL;
  CREATE INDEX chunk_by_lease ON chunk (lease_until) WHERE lease IS NOT NULL;

  -- What a breakdown counts, kept up to date with every settling: a million rows are never scanned for it.
  CREATE TABLE tally (
    job         bigint NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('reason', 'provider', 'domain')),
    key         text NOT NULL,
    count       int NOT NULL,
    deliverable int NOT NULL,
    PRIMARY KEY (job, kind, key)
  ) WITH (fillfactor = 70);

  -- Receipts that can be asked for again: after a crash of the server they are, so that nothing is logged for them.
  CREATE UNLOGGED TABLE verification (
    address    text NOT NULL,
    -- What an exchange would not tell us it may tell another address: '' where the verdict is of the mailbox.
    source     text NOT NULL,
    checked_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    body       text NOT NULL,
    PRIMARY KEY (address, source)
  );
  CREATE INDEX verification_by_expiry ON verification (expires_at);

  CREATE TABLE upload (
    id         text NOT NULL PRIMARY KEY,
    owner      text,
    file_name  text,
    state      text NOT NULL CHECK (state IN ('OPEN', 'COMPLETE', 'USED')),
    size       bigint,
    received   bigint NOT NULL DEFAULT 0,
    -- Whose octets are taken: changes with each that begins to write.
    writer     uuid,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    sha256     text
  );
  CREATE INDEX upload_by_expiry ON upload (expires_at);
  CREATE TABLE upload_piece (
    upload text NOT NULL REFERENCES upload ON DELETE CASCADE,
    start  bigint NOT NULL,
    octets bytea NOT NULL,
    PRIMARY KEY (upload, start)
  );
  -- Lists do not compress by TOAST as they do on the wire, and packed ones not at all.
  ALTER TABLE upload_piece ALTER COLUMN octets SET STORAGE EXTERNAL;

  CREATE TABLE delivery (
    number          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id              text NOT NULL UNIQUE,
    job             bigint NOT NULL,
    event           text NOT NULL,
    state           text NOT NULL CHECK (state IN ('PENDING', 'DELIVERED', 'FAILED')),
    created_at      timestamptz NOT NULL,
    next_attempt_at timestamptz,
    -- While somebody is at it.
    lease_until     timestamptz,
    -- A JSON array, oldest first.
    attempts        text NOT NULL DEFAULT '[]',
    -- Of the moment of the event; the counters as JSON.
    job_state       text NOT NULL,
    counters        text NOT NULL
  );
  CREATE INDEX delivery_by_job ON delivery (job, number);
  CREATE INDEX delivery_by_time ON delivery (next_attempt_at) WHERE state = 'PENDING';

  ${factSchema}
  ${laneShareSchema}

  CREATE TABLE secret (
    name  text NOT NULL PRIMARY KEY,
    value bytea NOT NULL
  );
  `,
  // Keys, what they may still ask for, and whose a job is.
  `
  CREATE TABLE api_key (
    id                text NOT NULL PRIMARY KEY,
    -- SHA-256 of its text, in hexadecimal digits.
    hash              text NOT NULL UNIQUE,
    name              text NOT NULL,
    kind              text NOT NULL CHECK (kind IN ('SECRET', 'PUBLISHABLE')),
    prefix            text NOT NULL,
    -- JSON arrays of texts.
    scopes            text NOT NULL,
    origins           text NOT NULL,
    points_per_minute float8 NOT NULL,
    is_persisted_only boolean NOT NULL,
    created_at        timestamptz NOT NULL,
    expires_at        timestamptz,
    revoked_at        timestamptz,
    last_used_at      timestamptz
  );
  -- No index on full_at: it would make each draw write to it, and the table is small.
  CREATE UNLOGGED TABLE bucket (
    -- A hash.
    name      bytea NOT NULL PRIMARY KEY,
    level     float8 NOT NULL,
    filled_at timestamptz NOT NULL,
    -- When it says no more than a new one would.
    full_at   timestamptz NOT NULL,
    -- Did the last draw get what it wanted?
    taken     boolean NOT NULL
  ) WITH (fillfactor = 50);

  ALTER TABLE job ADD COLUMN owner text;
  CREATE INDEX job_by_owner ON job (owner, number) WHERE owner IS NOT NULL;
  `,
];

/**
 * Brings the schema to this version, whoever else does so at the same time. However long that takes: a step may write a
 * billion rows anew, and who comes second waits for it.
 * @throws StoreError NEWER_VERSION when a newer rcpt was here
 */
export const migrate = async (database: Database, steps: readonly string[] = migrations): Promise<void> => {
  const client = await database.connect({ isPatient: true });
  try {
    await client.query('BEGIN');
    // Held to the end of the transaction, however it ends.
    await client.query('SELECT pg_advisory_xact_lock($1)', [lockKey]);
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
    await client.query(
      'CREATE TABLE IF NOT EXISTS migration (version int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())',
    );
    const { rows } = await client.query('SELECT coalesce(max(version), 0) AS version FROM migration');
    const version = Number(rows[0]?.version);
    if (version > steps.length) throw postgresFault('NEWER_VERSION');
    for (const [index, step] of steps.entries()) {
      if (index < version) continue;
      await client.query(step);
      await client.query('INSERT INTO migration (version) VALUES ($1)', [index + 1]);
    }
    await client.query('COMMIT');
  } catch (error) {
    throw readPostgresError(error);
  } finally {
    // Without a COMMIT before, it takes everything back.
    await client.end();
  }
};
