/** What PostgreSQL and the way to it can say, as the store's own closed set. */
import { StoreError, type StoreFaultCode } from '../fault.ts';

/** Never the URL: it holds a password. */
const place = 'The PostgreSQL database (DATABASE_URL)';

const messages: Partial<Record<StoreFaultCode, string>> = {
  UNREACHABLE: 'cannot be reached: check that it runs and that the address, user and password are right',
  TIMED_OUT: 'did not answer in time',
  LOCKED: 'is held up by somebody else’s lock',
  UNWRITABLE: 'refuses us: the user may not create or write there',
  DISK_FULL: 'cannot grow: its disk is full',
  DISK_FAILURE: 'cannot be read or written: its disk reports an error',
  DAMAGED: 'is damaged: restore it from a backup',
  NEWER_VERSION: 'was written by a newer rcpt: start that version',
  CLOSED: 'is closed',
};

export const postgresFault = (code: StoreFaultCode, cause?: unknown): StoreError =>
  new StoreError(code, `${place} ${messages[code] ?? 'is in trouble'}`, { cause });

/** By SQLSTATE (PostgreSQL, Appendix A), whole codes first, then classes. */
const byState: Readonly<Record<string, StoreFaultCode>> = {
  '57014': 'TIMED_OUT', // query_canceled: statement_timeout
  '57P01': 'UNREACHABLE', // admin_shutdown
  '57P02': 'UNREACHABLE', // crash_shutdown
  '57P03': 'UNREACHABLE', // cannot_connect_now
  '57P05': 'UNREACHABLE', // idle_session_timeout
  '25P03': 'TIMED_OUT', // idle_in_transaction_session_timeout
  '25006': 'UNREACHABLE', // read_only_sql_transaction: a standby that is not promoted yet
  '55P03': 'LOCKED', // lock_not_available
  '40001': 'LOCKED', // serialization_failure
  '40P01': 'LOCKED', // deadlock_detected
  '42501': 'UNWRITABLE', // insufficient_privilege
  '53100': 'DISK_FULL',
  '53300': 'UNREACHABLE', // too_many_connections
};
const byClass: Readonly<Record<string, StoreFaultCode>> = {
  '08': 'UNREACHABLE', // connection exception
  '28': 'UNREACHABLE', // invalid authorization
  '3D': 'UNREACHABLE', // invalid catalog name: there is no such database
  '53': 'UNREACHABLE', // insufficient resources
  '58': 'DISK_FAILURE', // system error
  XX: 'DAMAGED', // data or index corrupted, internal error
};
const bySystemCode = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT', // a Unix socket
]);
/** What pg says without a code when a connection is lost. */
const lostPhrases = [
  'Connection terminated',
  'Client has encountered a connection error',
  'Client was closed',
  'server closed the connection',
];
const latePhrases = [
  'Query read timeout',
  // All connections of the pool were busy for so long.
  'timeout exceeded when trying to connect',
];

/** The store's own error for what pg threw; anything else is a bug and passes unchanged. */
export const readPostgresError = (error: unknown, isClosing = false): unknown => {
  if (!(error instanceof Error) || error instanceof StoreError) return error;
  // The pool hangs the whole client on it, which knows the password.
  if ('client' in error) delete error.client;
  if (isClosing || error.message.includes('Cannot use a pool after calling end'))
    return postgresFault('CLOSED', error);
  const { code } = error as { readonly code?: unknown };
  if (typeof code === 'string') {
    const fault = byState[code] ?? (bySystemCode.has(code) ? 'UNREACHABLE' : byClass[code.slice(0, 2)]);
    if (fault !== undefined && (code.length === 5 || bySystemCode.has(code)))
      return postgresFault(fault, error);
  }
  if (error instanceof AggregateError && error.errors.length > 0)
    return readPostgresError(error.errors[0], isClosing);
  if (latePhrases.some((phrase) => error.message.includes(phrase))) return postgresFault('TIMED_OUT', error);
  if (lostPhrases.some((phrase) => error.message.includes(phrase)))
    return postgresFault('UNREACHABLE', error);
  return error;
};
