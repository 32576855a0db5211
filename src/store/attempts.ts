/** What is kept of attempts at a delivery: a JSON array, oldest first, in whichever store. */
import type { DeliveryAttempt } from '../jobs/index.ts';

/** Attempts that are kept of a delivery, the newest: a sender that never gives up must not grow a row for ever. */
const mostAttempts = 50;
/** Of an attempt's error: a sentence, not a page. */
const longestError = 300;

type KeptAttempt = Omit<DeliveryAttempt, 'at'> & { readonly at: number };

const readKept = (kept: string): readonly KeptAttempt[] => JSON.parse(kept) as readonly KeptAttempt[];

export const readAttempts = (kept: string): readonly DeliveryAttempt[] =>
  readKept(kept).map(({ at, ...attempt }) => ({ at: new Date(at), ...attempt }));

/** The text with one more. */
export const addAttempt = (kept: string, { at, durationMs, status, error }: DeliveryAttempt): string => {
  const attempt: KeptAttempt = {
    at: at.getTime(),
    durationMs,
    status,
    error: error === null ? null : error.slice(0, longestError),
  };
  return JSON.stringify([...readKept(kept), attempt].slice(-mostAttempts));
};
