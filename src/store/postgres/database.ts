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

/** What is waited for, in milliseconds. */
export type Deadlines = {
  /** For a connection, new or of the pool: one that is gone must not hold a request for longer than a client waits. */
  readonly connectMs: number;
  /** The longest of ours, sorting a list of a million rows, took 6 s; past this something is wrong. */
  readonly statementMs: number;
  /** Somebody else's lock, or a transaction that forgot to end. */
  readonly lockMs: number;
};
const usualDeadlines: Deadlines = { connectMs: 5_000, statementMs: 60_000, lockMs: 15_000 };
const idleInTransactionMs = 60_000;
/** A peer whose machine vanished holds no locks for the two hours that TCP would wait: half a minute. */
const printSession = ({ statementMs, lockMs }: Deadlines): string =>
  `SET search_path = ${schema}; SET statement_timeout = ${statementMs}; SET lock_timeout = ${lockMs};
   SET idle_in_transaction_session_timeout = ${idleInTransactionMs};
   SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3`;
/**
 * For what runs beside transactions, and inside of them by another way (see `aside`). Two, so that one slow statement
 * does not hold up the heartbeats.
 */
export const asideConnections = 2;
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
   * The same on connections of its own that no transaction holds: for heartbeats, and for whatever is asked while a
   * transaction waits for the answer. On the pool, as many transactions as it has connections would wait for each
   * other's to come free. Each is short, and never part of a transaction.
   */
  readonly aside: Query;
  /**
   * Runs `work` as one transaction; whatever it throws takes everything back. `work` may run more than once, unless
   * `attempts` is 1: it must leave nothing behind outside the database.
   */
  readonly transaction: <Result>(
    work: (transaction: Transaction) => Promise<Result>,
    attempts?: number,
  ) => Promise<Result>;
  /**
   * A connection of its own that no pool recycles. Who takes it ends it. Its statements are short (LISTEN, a lock that is
   * tried), or it is patient: then they take as long as they take.
   */
  readonly connect: (how?: { readonly isPatient: boolean }) => Promise<pg.Client>;
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
  /** Connections at most, but for those of `aside` and `connect`; what finds none waits for `connectMs`. */
  readonly connections: number;
  /** Default: 5 s for a connection, 60 s for a statement, 15 s for a lock. */
  readonly deadlines?: Partial<Deadlines>;
  /** A connection that broke while nobody used it; the next use opens another. */
  readonly onError: (error: unknown) => void;
};

/** The connection is of no more use: what the server said itself is an answer, anything else is silence. */
const isSilence = (error: unknown): boolean => !(error instanceof pg.DatabaseError);

export const openDatabase = ({ url, connections, deadlines, onError }: DatabaseOptions): Database => {
  const known = { ...usualDeadlines, ...deadlines };
  const { connectMs, statementMs } = known;
  const session = printSession(known);
  // No settings among the words of the start-up: a pooler in between knows few of them.
  const settings: pg.ClientConfig = {
    connectionString: url,
    application_name: 'rcpt',
    connectionTimeoutMillis: connectMs,
    // Behind the server's own deadline: for a server that went away without a word.
    query_timeout: statementMs + connectMs,
    keepAlive: true,
  };
  let statements: readonly string[] = [session];
  const prepare = async (client: pg.ClientBase): Promise<void> => {
    for (const statement of statements) await client.query(statement);
  };
  const createPool = (max: number): pg.Pool => {
    const made = new pg.Pool({ ...settings, max, idleTimeoutMillis: 30_000, onConnect: prepare });
    made.on('error', (error) => {
      if (closing === null) onError(readPostgresError(error));
    });
    return made;
  };
  let closing: Promise<void> | null = null;
  const pool = createPool(connections);
  const asidePool = createPool(asideConnections);

  const guard = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw readPostgresError(error, closing !== null);
    }
  };
  const queryOn =
    (on: pg.Pool): Query =>
    (text, values) =>
      guard(async () => rowsOf(await on.query<Row>(text, values && [...values])));

  const once = async <Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> => {
    const client = await pool.connect();
    let broken: Error | undefined;
    const lose = (error: unknown): void => {
      broken ??= error instanceof Error ? error : new Error(String(error));
    };
    // The pool listens to idle clients alone; what breaks under a statement rejects that as well.
    client.on('error', lose);
    const ask = async (query: pg.QueryConfig): Promise<Row[]> => {
      try {
        return rowsOf(await client.query<Row>(query));
      } catch (error) {
        // Also a statement that nobody answered: behind it a ROLLBACK would wait as long again.
        if (isSilence(error)) lose(error);
        throw error;
      }
    };
    try {
      await ask({ text: 'BEGIN' });
      const result = await work({
        query: (text, values) => ask({ text, ...(values && { values: [...values] }) }),
        prepared: (name, text, values) => ask({ name, text, values: [...values] }),
      });
      await ask({ text: 'COMMIT' });
      return result;
    } catch (error) {
      if (broken === undefined) await ask({ text: 'ROLLBACK' }).catch(lose);
      throw error;
    } finally {
      client.off('error', lose);
      client.release(broken);
    }
  };

  return {
    query: queryOn(pool),
    aside: queryOn(asidePool),
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
    connect: ({ isPatient } = { isPatient: false }) =>
      guard(async () => {
        const { query_timeout: _, ...patient } = settings;
        const client = new pg.Client(isPatient ? patient : { ...settings, query_timeout: connectMs });
        // Who takes it hears of later ones; one that nobody hears would end the process.
        client.on('error', () => undefined);
        try {
          await client.connect();
          await prepare(client);
          if (isPatient) await client.query('SET statement_timeout = 0; SET lock_timeout = 0');
        } catch (error) {
          await client.end().catch(() => undefined);
          throw error;
        }
        return client;
      }),
    setSessionStatements: (more) => {
      statements = [session, ...more];
    },
    poolCounts: () => ({
      max: connections,
      total: pool.totalCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
    }),
    close: () => {
      closing ??= Promise.all([pool.end(), asidePool.end()]).then(() => undefined);
      return closing;
    },
  };
};
