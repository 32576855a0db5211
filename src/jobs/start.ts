/** A list of texts into the store: numbered, deduplicated by canonical mailbox, sorted by domain. */
import { randomUUID } from 'node:crypto';
import { parseAddress, printCanonical } from '../address/index.ts';
import type { StartJob, StartOutcome } from './door.ts';
import { isPassing } from './patience.ts';
import type { JobStore } from './ports.ts';
import type { IntakeRow } from './types.ts';

/**
 * UTF-16 units of a row that are kept. An address has at most 254 octets, so what is longer is refused as TOO_LONG
 * all the same; the ceiling keeps a "list" of one 10 MB row from being stored and read back.
 */
const keptUnits = 512;

export type StarterOptions = {
  readonly store: Pick<JobStore, 'createJob' | 'findByIdempotencyKey'>;
  readonly now: () => Date;
  readonly retentionMs: number;
  readonly maxRows: number;
  /** Told what the store said; the caller only hears that there is trouble. */
  readonly onError: (error: unknown) => void;
};

/** Thrown into the store's reading, so that it takes back what it had of the list. */
class TooManyRows extends Error {
  override readonly name = 'TooManyRows';
}

const intakeRow = (row: number, text: string): IntakeRow => {
  // SQLite and JSON hold no unpaired surrogate; U+FFFD is as little an address.
  const address = text.slice(0, keptUnits).toWellFormed();
  const parsed = parseAddress(address);
  return parsed.kind === 'fault'
    ? { row, address, canonical: null, domain: '' }
    : { row, address, canonical: printCanonical(parsed.address), domain: parsed.address.domain };
};

export const createStarter = (options: StarterOptions): ((input: StartJob) => Promise<StartOutcome>) => {
  const { store, now, retentionMs, maxRows, onError } = options;
  /** Starts under way by idempotency key: the second of two at once waits, and finds the first one's job. */
  const underWay = new Map<string, Promise<StartOutcome>>();

  const findExisting = async (input: StartJob): Promise<StartOutcome | null> => {
    if (input.idempotencyKey === null) return null;
    const found = await store.findByIdempotencyKey(input.idempotencyKey);
    if (found === null) return null;
    return found.inputHash === (input.inputHash ?? '')
      ? { kind: 'existing', job: found.job }
      : { kind: 'idempotencyConflict' };
  };

  async function* number(addresses: AsyncIterable<string> | Iterable<string>, seen: { rows: number }) {
    for await (const text of addresses) {
      if (seen.rows === maxRows) throw new TooManyRows();
      seen.rows += 1;
      yield intakeRow(seen.rows, text);
    }
  }

  const create = async (input: StartJob): Promise<StartOutcome> => {
    const existing = await findExisting(input);
    if (existing !== null) return existing;
    const rows = number(input.addresses, { rows: 0 });
    const first = await rows.next();
    if (first.done) return { kind: 'emptyList' };
    const all = async function* (): AsyncGenerator<IntakeRow> {
      yield first.value;
      yield* rows;
    };
    const createdAt = now();
    try {
      const outcome = await store.createJob(
        {
          id: randomUUID(),
          name: input.name,
          createdAt,
          expiresAt: new Date(createdAt.getTime() + retentionMs),
          idempotencyKey: input.idempotencyKey,
          inputHash: input.inputHash,
        },
        all(),
      );
      if (outcome.kind === 'created') return { kind: 'started', job: outcome.job };
    } catch (error) {
      if (error instanceof TooManyRows) return { kind: 'tooManyRows', limit: maxRows };
      if (!isPassing(error)) throw error;
      onError(error);
      return { kind: 'storeTrouble' };
    } finally {
      await rows.return(undefined);
    }
    // Another process was faster with the same key.
    return (await findExisting(input)) ?? { kind: 'idempotencyConflict' };
  };

  return async (input) => {
    const key = input.idempotencyKey;
    if (key === null) return create(input);
    while (underWay.has(key)) await underWay.get(key)?.catch(() => undefined);
    const starting = create(input).finally(() => underWay.delete(key));
    underWay.set(key, starting);
    return starting;
  };
};
