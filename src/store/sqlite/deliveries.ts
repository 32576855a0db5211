/** What webhooks are told, written where it happens: in the transaction that ends, cancels or moves the job. */
import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { WebhookEvent } from '../../jobs/index.ts';

/** Notes an event of a job, for whoever delivers it. A job without a webhook, or one that hears ends alone, is told nothing. */
export type Announce = (job: number, event: WebhookEvent, now: Date) => void;

/** To be called within the transaction of the event, after all that the event changes. */
export const createAnnouncer = (db: DatabaseSync): Announce => {
  // What waits for another attempt tells of a moment that is over, and would hold up what is told now.
  const endStale = db.prepare(
    `UPDATE delivery SET state = 'FAILED', next_attempt_at = NULL WHERE job = ? AND state = 'PENDING'
       AND event = 'bulk_job.progressed' AND attempts <> '[]' AND lease_until IS NULL`,
  );
  const insert = db.prepare(
    `INSERT INTO delivery (id, job, event, state, created_at, next_attempt_at, job_state, counters)
     SELECT :id, number, :event, 'PENDING', 
       :now, :now, state, json_object('total', total, 'settled', settled,
       'waiting', waiting, 'deliverable', deliverable, 'undeliverable', undeliverable, 'risky', risky,
       'unknown', unknown, 'duplicates', duplicates)
     FROM job WHERE number = :job AND webhook_url IS NOT NULL
       AND (webhook_tells_progress = 1 OR :event <> 'bulk_job.progressed')`,
  );
  return (job, event, now) => {
    const { changes } = insert.run({ id: `msg_${randomUUID()}`, job, event, now: now.getTime() });
    if (changes === 1) endStale.run(job);
  };
};
