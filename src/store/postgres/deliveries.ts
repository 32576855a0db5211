/** What webhooks are told, written where it happens: in the transaction that ends, cancels or moves the job. */
import { randomUUID } from 'node:crypto';
import type { WebhookEvent } from '../../jobs/index.ts';
import { clock, type Query } from './database.ts';

/**
 * Notes an event of a job, for whoever delivers it, after all that the event changes. A job without a webhook, or one
 * that hears ends alone, is told nothing. What waits for another attempt tells of a moment that is over, and would
 * hold up what is told now: it fails.
 */
export const announce = async (query: Query, job: number, event: WebhookEvent): Promise<void> => {
  const told = await query(
    `INSERT INTO delivery (id, job, event, state, created_at, next_attempt_at, job_state, counters)
     SELECT $1, number, $2, 'PENDING', ${clock}, ${clock}, state, json_build_object('total', total,
       'settled', settled, 'waiting', waiting, 'deliverable', deliverable, 'undeliverable', undeliverable,
       'risky', risky, 'unknown', unknown, 'duplicates', duplicates)
     FROM job WHERE number = $3 AND webhook_url IS NOT NULL
       AND (webhook_tells_progress OR $2 <> 'bulk_job.progressed')
     RETURNING id`,
    [`msg_${randomUUID()}`, event, job],
  );
  if (told.length === 0) return;
  await query(
    `UPDATE delivery SET state = 'FAILED', next_attempt_at = NULL WHERE job = $1 AND state = 'PENDING'
       AND event = 'bulk_job.progressed' AND attempts <> '[]'
       AND (lease_until IS NULL OR lease_until <= ${clock})`,
    [job],
  );
};
