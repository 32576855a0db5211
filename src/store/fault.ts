/** What can go wrong with a store, as one closed set that an operator can act on. */

export type StoreFaultCode =
  | 'UNWRITABLE'
  | 'LOCKED'
  | 'NOT_A_DATABASE'
  | 'FOREIGN_DATABASE'
  | 'NEWER_VERSION'
  | 'DAMAGED'
  | 'DISK_FULL'
  | 'DISK_FAILURE'
  | 'UNREACHABLE'
  | 'TIMED_OUT'
  | 'CLOSED'
  | 'FAILED';

const passing: ReadonlySet<StoreFaultCode> = new Set([
  'DISK_FULL',
  'DISK_FAILURE',
  'LOCKED',
  'UNREACHABLE',
  'TIMED_OUT',
]);

/** One line that names the place and says what to do; never an address. `cause` keeps what the engine said. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreFaultCode;

  constructor(code: StoreFaultCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /** True when waiting may help: the store was neither wrong nor gone, and nothing was written. */
  get isPassing(): boolean {
    return passing.has(this.code);
  }
}

const messages: Record<StoreFaultCode, string> = {
  UNWRITABLE: 'cannot be written: check that the directory exists and belongs to this user',
  LOCKED: 'is in use by another process: stop that one, or set another RCPT_DATA_DIR',
  NOT_A_DATABASE: 'is not a database: move the file away, or set another RCPT_DATA_DIR',
  FOREIGN_DATABASE: "is another program's database: set another RCPT_DATA_DIR",
  NEWER_VERSION: 'was written by a newer rcpt: start that version, or set another RCPT_DATA_DIR',
  DAMAGED: 'is damaged: restore it from a backup, or move it away to start empty',
  DISK_FULL: 'cannot grow: the disk is full',
  DISK_FAILURE: 'cannot be read or written: the disk reports an error',
  UNREACHABLE: 'cannot be reached',
  TIMED_OUT: 'did not answer in time',
  CLOSED: 'is closed',
  FAILED: 'was lost by a fault of rcpt itself: start rcpt again, it goes on where it was',
};

export const storeError = (code: StoreFaultCode, place: string, cause?: unknown): StoreError =>
  new StoreError(code, `${place} ${messages[code]}`, { cause });

/** SQLite's primary result codes (https://sqlite.org/rescode.html), as `errcode & 0xff`. */
const byResultCode: Readonly<Record<number, StoreFaultCode>> = {
  3: 'UNWRITABLE', // SQLITE_PERM
  5: 'LOCKED', // SQLITE_BUSY
  6: 'LOCKED', // SQLITE_LOCKED
  8: 'UNWRITABLE', // SQLITE_READONLY
  10: 'DISK_FAILURE', // SQLITE_IOERR
  11: 'DAMAGED', // SQLITE_CORRUPT
  13: 'DISK_FULL', // SQLITE_FULL
  14: 'UNWRITABLE', // SQLITE_CANTOPEN
  26: 'NOT_A_DATABASE', // SQLITE_NOTADB
};
/** SQLITE_IOERR_SHMSIZE: the WAL's index could not grow, which on a full disk comes before SQLITE_FULL. */
const cannotGrowSharedMemory = 4874;

/** The store's own error for what SQLite threw; anything else is a bug and passes unchanged. */
export const readSqliteError = (error: unknown, place: string): unknown => {
  if (!(error instanceof Error) || error instanceof StoreError) return error;
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  if (code === 'ERR_INVALID_STATE') return storeError('CLOSED', place, error);
  if (code !== 'ERR_SQLITE_ERROR' || typeof errcode !== 'number') return error;
  const fault = errcode === cannotGrowSharedMemory ? 'DISK_FULL' : byResultCode[errcode & 0xff];
  return fault === undefined ? error : storeError(fault, place, error);
};

/** The same for what the file system threw about the data directory and the files of uploads. */
export const readFileSystemError = (error: unknown, place: string): unknown => {
  if (!(error instanceof Error) || error instanceof StoreError) return error;
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EEXIST':
      return storeError('UNWRITABLE', place, error);
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG': // RLIMIT_FSIZE
      return storeError('DISK_FULL', place, error);
    case 'EIO':
      return storeError('DISK_FAILURE', place, error);
    default:
      return error;
  }
};
