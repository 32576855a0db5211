/** Counts by reason, provider and domain, gathered over what settles together, so that each is written once. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Reason, Status } from '../../verdict/index.ts';

type Kind = 'reason' | 'provider' | 'domain';
type Entry = { count: number; deliverable: number };

export const prepareTally = (db: DatabaseSync): StatementSync =>
  db.prepare(
    `INSERT INTO tally (job, kind, key, count, deliverable) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET count = count + excluded.count, deliverable = deliverable + excluded.deliverable`,
  );

export const createTally = () => {
  const kinds: Record<Kind, Map<string, Entry>> = {
    reason: new Map(),
    provider: new Map(),
    domain: new Map(),
  };
  const addOne = (kind: Kind, key: string, status: Status): void => {
    let entry = kinds[kind].get(key);
    if (entry === undefined) {
      entry = { count: 0, deliverable: 0 };
      kinds[kind].set(key, entry);
    }
    entry.count += 1;
    if (status === 'DELIVERABLE') entry.deliverable += 1;
  };
  return {
    /** `domain` is '' for what is no address. */
    add(reason: Reason, provider: string | null, domain: string, status: Status): void {
      addOne('reason', reason, status);
      if (provider !== null) addOne('provider', provider, status);
      if (domain !== '') addOne('domain', domain, status);
    },
    write(job: number, statement: StatementSync): void {
      for (const [kind, entries] of Object.entries(kinds))
        for (const [key, { count, deliverable }] of entries)
          statement.run(job, kind, key, count, deliverable);
    },
  };
};
