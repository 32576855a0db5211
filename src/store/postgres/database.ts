/**
 * One PostgreSQL database as the store uses it: a bounded pool, every statement with a deadline, transactions that
 * are whole or not at all, and the engine's errors as the store's own.
 *
 * Times are the database's: nodes whose clocks differ by an hour still agree on when a chunk may start and a lease
 * ends. `clock` is the SQL that reads it, pg-boss's own, so that queue and tables never disagree.
 */
import pg from 'pg';
import { readPostgresError } from './fault.ts';

/** Where our tables are, and where pg-boss has its own. */
export const schema = 'rcpt';
export const bossSchema = 'rcpt_queue';
/** The time of the statement's transaction, in SQL. */
export const clock = `${bossSchema}.job_now()`;

/** A database that is gone must not hold a request for longer than a client waits. */
const connectMs = 5_000;
/** The longest of ours, sorting a list of a million rows, took 6 s; past this something is wrong. */
const statementMs = 60_000;
/** Somebody else's lock, or a transaction that forgot to end. */
const lockMs = 15_000;
const idleInTransactionMs = 60_000;
/** How often a transaction is done again that lost a race which doing it again wins (a deadlock, a lost snapshot). */
const mostAttempts = 5;

export type Row = Record<string, unknown>;
export type Query = (text: string, values?: readonly unknown[]) => Promise<Row[]>;

export type Transaction = {
  readonly query: Query;
  /** The same statement again and again: parsed and planned once a connection. */
  readonly prepared: (name: string, text: string, values: readonly unknown[]) => Promise<Row[]>;
};

export type Database = {
  readonly query: Query;
  /**
   * Runs `work` as one transaction; whatever it throws takes everything back. `work` may run more than once, unless
   * `attempts` is 1: it must leave nothing behind outside the database.
   */
  readonly transaction: <Result>(
    work: (transaction: Transaction) => Promise<Result>,
    attempts?: number,
  ) => Promise<Result>;
  /** A connection of its own that no pool recycles, for LISTEN. Who takes it ends it. */
  readonly connect: () => Promise<pg.Client>;
  /** Statements that each connection begins with; for pg-boss's clock of tests. */
  readonly setSessionStatements: (statements: readonly string[]) => void;
  readonly poolCounts: () => { max: number; total: number; idle: number; waiting: number };
  readonly close: () => Promise<void>;
};

// count(*) and identities: none of ours comes near 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** Several statements in one text give several results. */
const rowsOf = (result: pg.QueryResult<Row> | readonly pg.QueryResult<Row>[]): Row[] =>
  Array.isArray(result) ? result.flatMap(({ rows }) => rows) : (result as pg.QueryResult<Row>).rows;

const isRace = (error: unknown): boolean => {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return code === '40001' || code === '40P01';
};

export type DatabaseOptions = {
  readonly url: string;
  /** Connections at most; what finds none waits for `connectMs`. */
  readonly connections: number;
  /** A connection that broke while nobody used it; the next use opens another. */
  readonly onError: (error: unknown) => void;
};

export const openDatabase = ({ url, connections, onError }: DatabaseOptions): Database => {
  const settings: pg.ClientConfig = {
    connectionString: url,
    application_name: 'rcpt',
    connectionTimeoutMillis: connectMs,
    statement_timeout: statementMs,
    lock_timeout: lockMs,
    idle_in_transaction_session_timeout: idleInTransactionMs,
    // Behind the server's own deadline: for a server that went away without a word.
    query_timeout: statementMs + connectMs,
    keepAlive: true,
  };
  let sessionStatements: readonly string[] = [];
  const pool = new pg.Pool({
    ...settings,
    max: connections,
    idleTimeoutMillis: 30_000,
    onConnect: async (client) => {
      for (const statement of [`SET search_path = ${schema}`, ...sessionStatements])
        await client.query(statement);
    },
  });
  pool.on('error', (error) => onError(readPostgresError(error)));
  let closing: Promise<void> | null = null;

  const guard = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw readPostgresError(error, closing !== null);
    }
  };

  const once = async <Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> => {
    const client = await pool.connect();
    let broken: Error | undefined;
    // The pool listens to idle clients alone; what breaks under a statement rejects that as well.
    const lose = (error: Error): void => {
      broken = error;
    };
    client.on('error', lose);
    try {
      await client.query('BEGIN');
      const result = await work({
        query: async (text, values) => rowsOf(await client.query<Row>(text, values && [...values])),
        prepared: async (name, text, values) =>
          (await client.query<Row>({ name, text, values: [...values] })).rows,
      });
      await client.query('COMMIT');
      return result;
    } catch (error) {
      if (broken === undefined) await client.query('ROLLBACK').catch(lose);
      throw error;
    } finally {
      client.off('error', lose);
      client.release(broken);
    }
  };

  return {
    query: (text, values) => guard(async () => rowsOf(await pool.query<Row>(text, values && [...values]))),
    transaction: (work, attempts = mostAttempts) =>
      guard(async () => {
        for (let attempt = 1; ; attempt += 1) {
          try {
            return await once(work);
          } catch (error) {
            if (!isRace(error) || attempt >= attempts) throw error;
          }
        }
      }),
    connect: () =>
      guard(async () => {
        const client = new pg.Client({ ...settings, query_timeout: statementMs });
        await client.connect();
        return client;
      }),
    setSessionStatements: (statements) => {
      sessionStatements = statements;
    },
    poolCounts: () => ({
      max: connections,
      total: pool.totalCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
    }),
    close: () => {
      closing ??= pool.end();
      return closing;
    },
  };
};
