/**
 * Deliveries to webhooks on PostgreSQL: who may try one, what came of it, and what is kept of that. Any number of
 * senders: a lease ends by the database's clock, and what one of them has is passed over by the others.
 */
import type { Delivery, JobCounters, JobState, WebhookEvent, WebhookStore } from '../../jobs/index.ts';
import { addAttempt, readAttempts } from '../attempts.ts';
import { clock, type Database, type Row } from './database.ts';
import { date, pageOf, text, visible } from './rows.ts';
import { createSkew } from './skew.ts';

const deliveryColumns = `d.id, job.id AS job_id, d.event, d.state, d.created_at, d.next_attempt_at, d.attempts`;

/** Of each job the oldest pending one alone may be taken. */
const isFirst = `NOT EXISTS (SELECT FROM delivery AS o
  WHERE o.job = d.job AND o.number < d.number AND o.state = 'PENDING')`;
const isFree = `(d.lease_until IS NULL OR d.lease_until <= ${clock})`;

/**
 * Two who look at the same moment never get the same one, since the lock of the first hides it from the second; nor two
 * of one job, since only one of them is first.
 */
const takeStatement = `
  UPDATE delivery AS d SET lease_until = ${clock} + $1 * interval '1 millisecond'
  FROM job
  WHERE job.number = d.job AND d.number = (
    SELECT d.number FROM delivery AS d JOIN job ON job.number = d.job AND job.${visible}
    WHERE d.state = 'PENDING' AND d.next_attempt_at <= ${clock} AND ${isFree} AND ${isFirst}
    ORDER BY d.next_attempt_at, d.number LIMIT 1 FOR UPDATE OF d SKIP LOCKED)
  RETURNING ${deliveryColumns}, d.job_state, d.counters, job.name, job.webhook_url, job.webhook_secret, ${clock} AS now`;

const readDeliveryRow = (row: Row): Delivery => ({
  id: String(row.id),
  jobId: String(row.job_id),
  event: row.event as WebhookEvent,
  state: row.state as Delivery['state'],
  createdAt: row.created_at as Date,
  nextAttemptAt: date(row.next_attempt_at),
  attempts: readAttempts(String(row.attempts)),
});

export const createPostgresWebhooks = (database: Database): WebhookStore => {
  const skew = createSkew();

  return {
    async takeDelivery(now, leaseUntil) {
      const [found] = await database.query(takeStatement, [leaseUntil.getTime() - now.getTime()]);
      if (found === undefined) return null;
      skew.learn(found.now, now);
      return {
        ...readDeliveryRow(found),
        url: String(found.webhook_url),
        secret: String(found.webhook_secret),
        jobName: text(found.name),
        jobState: found.job_state as JobState,
        counters: JSON.parse(String(found.counters)) as JobCounters,
      };
    },
    noteAttempt: (id, attempt, outcome) =>
      database.transaction(async ({ query }) => {
        const [found] = await query(
          `SELECT number, attempts FROM delivery WHERE id = $1 AND state = 'PENDING' FOR UPDATE`,
          [id],
        );
        if (found === undefined) return;
        await query(
          'UPDATE delivery SET state = $1, attempts = $2, next_attempt_at = $3, lease_until = NULL WHERE number = $4',
          [
            typeof outcome === 'string' ? outcome : 'PENDING',
            addAttempt(String(found.attempts), attempt),
            typeof outcome === 'string' ? null : skew.toTheirs(outcome.retryAt),
            found.number,
          ],
        );
      }),
    async nextDeliveryAt() {
      const [row] = await database.query(
        `SELECT min(d.next_attempt_at) AS at FROM delivery AS d WHERE d.state = 'PENDING' AND ${isFree} AND ${isFirst}`,
      );
      return row?.at instanceof Date ? skew.toOurs(row.at) : null;
    },
    async listDeliveries(jobId, { limit, afterId }) {
      const rows = await database.query(
        `SELECT ${deliveryColumns} FROM delivery AS d JOIN job ON job.number = d.job AND job.${visible}
         WHERE job.id = $1 AND ($2::text IS NULL
           OR d.number < (SELECT a.number FROM delivery AS a WHERE a.id = $2 AND a.job = job.number))
         ORDER BY d.number DESC LIMIT $3`,
        [jobId, afterId, limit + 1],
      );
      return pageOf(rows, limit, readDeliveryRow);
    },
  };
};
