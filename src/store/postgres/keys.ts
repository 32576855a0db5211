/** Keys on PostgreSQL: all gateways of a cluster have the same. */
import type { KeptKey, KeyKind, KeyStore, Scope } from '../../keys/index.ts';
import { openDatabase, type Query, type Row } from './database.ts';
import { migrate } from './migrations.ts';
import { date, text } from './rows.ts';
import { encodeText } from './text.ts';

const list = (value: unknown): readonly string[] => JSON.parse(String(value)) as readonly string[];

const readKeyRow = (row: Row): KeptKey => ({
  id: String(row.id),
  hash: String(row.hash),
  name: text(row.name) ?? '',
  kind: row.kind as KeyKind,
  prefix: String(row.prefix),
  scopes: list(row.scopes) as readonly Scope[],
  origins: list(row.origins),
  pointsPerMinute: Number(row.points_per_minute),
  isPersistedOnly: row.is_persisted_only === true,
  createdAt: row.created_at as Date,
  expiresAt: date(row.expires_at),
  revokedAt: date(row.revoked_at),
  lastUsedAt: date(row.last_used_at),
});

/** Rows are locked in one order: gateways that note the same keys do not wait for each other. */
const noteStatement = `
  WITH used AS (
    SELECT id, max(at) AS at FROM unnest($1::text[], $2::timestamptz[]) AS g(id, at) GROUP BY id
  ), held AS (
    SELECT api_key.id, used.at FROM api_key JOIN used ON used.id = api_key.id
    WHERE last_used_at IS NULL OR last_used_at < used.at
    ORDER BY api_key.id FOR UPDATE OF api_key
  )
  UPDATE api_key SET last_used_at = greatest(last_used_at, held.at) FROM held WHERE api_key.id = held.id`;

export const createPostgresKeys = (query: Query): KeyStore => ({
  async readVersion() {
    // No key is ever erased, so that both only grow: with every transaction that commits, in whichever order they do.
    const [row] = await query('SELECT count(*) + count(revoked_at) AS version FROM api_key');
    return Number(row?.version);
  },
  async readKeys() {
    return (await query('SELECT * FROM api_key ORDER BY created_at, id')).map(readKeyRow);
  },
  async createKey(key) {
    await query(
      `INSERT INTO api_key (id, hash, name, kind, prefix, scopes, origins, points_per_minute, is_persisted_only,
         created_at, expires_at, revoked_at, last_used_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
      [
        key.id,
        key.hash,
        encodeText(key.name),
        key.kind,
        key.prefix,
        JSON.stringify(key.scopes),
        JSON.stringify(key.origins),
        key.pointsPerMinute,
        key.isPersistedOnly,
        key.createdAt,
        key.expiresAt,
        key.revokedAt,
        key.lastUsedAt,
      ],
    );
  },
  async revokeKey(id, at) {
    const [found] = await query(
      'UPDATE api_key SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1 RETURNING 1 AS found',
      [id, at],
    );
    return found !== undefined;
  },
  async noteUses(uses) {
    await query(noteStatement, [uses.map(({ id }) => id), uses.map(({ at }) => at)]);
  },
});

export type PostgresKeys = {
  readonly keys: KeyStore;
  close(): Promise<void>;
};

/**
 * For who makes and revokes keys: connects and brings the schema to this version, and joins no cluster. Throws
 * StoreError.
 */
export const openPostgresKeys = async (options: {
  /** `postgres://user:password@host:port/database` */
  readonly url: string;
  /** Told of a connection that breaks while nobody uses it; never with the URL. */
  readonly onError: (error: unknown) => void;
}): Promise<PostgresKeys> => {
  const database = openDatabase({ ...options, connections: 1 });
  try {
    await migrate(database);
  } catch (error) {
    await database.close();
    throw error;
  }
  return { keys: createPostgresKeys(database.query), close: () => database.close() };
};
