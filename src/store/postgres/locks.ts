/**
 * Advisory locks, and the order in which all is locked.
 *
 * A job's lock comes before anything of the job. Whoever takes, settles or gives back a chunk holds it shared; whoever
 * pauses, resumes, cancels or hides the job holds it alone. So neither sees half of what the other does, and no two
 * wait for each other's rows: behind the lock come the chunk, the job's row, its tallies, and last the ticket. A take
 * has a ticket before it knows whose it is: it does not wait for the lock, but lets the ticket go again.
 *
 * All end with their transaction, or with the connection that holds them.
 */

/** The first of the two numbers of a lock: "r" and what is locked, which no other program on the database takes. */
const kinds = { job: 0x72_6a, upload: 0x72_75 } as const;

/** In SQL. Two jobs that are 2^31 apart would share one, to no harm. */
const jobKeys = (number: string): string => `${kinds.job}, (${number} % 2147483648)::int`;

export const shareJob = (number: string): string => `pg_advisory_xact_lock_shared(${jobKeys(number)})`;
export const tryToShareJob = (number: string): string =>
  `pg_try_advisory_xact_lock_shared(${jobKeys(number)})`;
export const holdJob = (number: string): string => `pg_advisory_xact_lock(${jobKeys(number)})`;

/** In SQL: one writer of an upload. Ids whose hashes are equal are busy together. */
export const uploadKeys = (id: string): string => `${kinds.upload}, hashtext(${id})`;
