/** What the process and the store's thread say to each other, and how errors cross between them. */
import type { ListShape, NewJob, WebhookStore } from '../../../jobs/index.ts';
import { StoreError, type StoreFaultCode } from '../../fault.ts';
import type { KeptRow } from '../intake.ts';
import type { SqliteJobStore } from '../jobs.ts';
import type { Tables, TablesOptions } from '../tables.ts';
import type { UploadRows } from '../upload-rows.ts';
import type { VerdictTable } from '../verdicts.ts';

/** The ports that are called method by method; each call is one message, and so is what comes of it. */
export type Ports = {
  readonly jobs: Omit<SqliteJobStore, 'createJob' | 'loadJob' | 'readRows'>;
  readonly webhooks: WebhookStore;
  readonly uploadRows: UploadRows;
  readonly verdicts: Pick<VerdictTable, 'recall' | 'remember'>;
  readonly store: Pick<Tables, 'limitPages' | 'close'>;
};
export type PortName = keyof Ports;

/** What the thread is started with. */
export type ThreadOptions = TablesOptions;

/** `readShape` is a function, which stays on its side: the shape comes with the end of the list. */
export type LoadingJob = Omit<NewJob, 'readShape'>;

export type Request =
  | {
      readonly kind: 'call';
      readonly id: number;
      readonly port: PortName;
      readonly method: string;
      readonly args: readonly unknown[];
    }
  | { readonly kind: 'load'; readonly id: number; readonly job: LoadingJob }
  | { readonly kind: 'rows'; readonly id: number; readonly rows: readonly KeptRow[] }
  | { readonly kind: 'lastRow'; readonly id: number; readonly shape: ListShape }
  /** The source of the list failed. */
  | { readonly kind: 'broken'; readonly id: number };

export type Response =
  | { readonly kind: 'opened'; readonly secret: Uint8Array }
  | { readonly kind: 'refused'; readonly error: SentError }
  /** Another batch of a list was taken. */
  | { readonly kind: 'taken'; readonly id: number }
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: SentError };

/** Batches of one list that the thread has not taken yet: half a megabyte each at most (intake.ts). */
export const mostUntaken = 4;

/** A structured clone keeps neither the class of an error nor its code. */
export type SentError = {
  readonly code: StoreFaultCode | null;
  readonly message: string;
  readonly stack: string;
};

export const sendError = (error: unknown): SentError => {
  if (error instanceof StoreError) {
    const { code, message, cause } = error;
    return { code, message, stack: cause instanceof Error ? String(cause.stack) : '' };
  }
  return error instanceof Error
    ? { code: null, message: error.message, stack: error.stack ?? '' }
    : { code: null, message: String(error), stack: '' };
};

/** A StoreError, or for a bug an error with the words and the stack of the other thread. */
export const readError = ({ code, message, stack }: SentError): Error => {
  const cause = new Error('in the thread of the store');
  cause.stack = stack;
  return code === null ? new Error(message, { cause }) : new StoreError(code, message, { cause });
};
