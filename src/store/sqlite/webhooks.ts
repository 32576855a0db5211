/** Deliveries to webhooks on SQLite: who may try one, what came of it, and what is kept of that. */
import type { DatabaseSync } from 'node:sqlite';
import type { Delivery, JobCounters, JobState, WebhookEvent, WebhookStore } from '../../jobs/index.ts';
import { addAttempt, readAttempts } from '../attempts.ts';
import { guardAt, inTransaction } from './database.ts';
import { date, pageOf, type Row, text, visible } from './rows.ts';

const deliveryColumns = `d.id, job.id AS job_id, d.event, d.state, d.created_at, d.next_attempt_at, d.attempts`;

const readDeliveryRow = (row: Row): Delivery => ({
  id: String(row.id),
  jobId: String(row.job_id),
  event: String(row.event) as WebhookEvent,
  state: String(row.state) as Delivery['state'],
  createdAt: new Date(Number(row.created_at)),
  nextAttemptAt: date(row.next_attempt_at),
  attempts: readAttempts(String(row.attempts)),
});

export const createSqliteWebhooks = (db: DatabaseSync, place: string): WebhookStore => {
  // Of each job the oldest pending one alone may be taken.
  const isFirst = `NOT EXISTS (SELECT 1 FROM delivery AS o INDEXED BY delivery_by_job
    WHERE o.job = d.job AND o.number < d.number AND o.state = 'PENDING')`;
  const readDue = db.prepare(
    `SELECT d.number, ${deliveryColumns}, d.job_state, d.counters, job.name, job.webhook_url, job.webhook_secret
     FROM delivery AS d INDEXED BY delivery_by_time JOIN job ON job.number = d.job AND job.${visible}
     WHERE d.state = 'PENDING' AND d.next_attempt_at <= :now AND coalesce(d.lease_until, :now) <= :now AND ${isFirst}
     ORDER BY d.next_attempt_at, d.number LIMIT 1`,
  );
  const lease = db.prepare('UPDATE delivery SET lease_until = ? WHERE number = ?');
  const readOne = db.prepare(`SELECT number, attempts FROM delivery WHERE id = ? AND state = 'PENDING'`);
  const note = db.prepare(
    `UPDATE delivery SET state = :state, attempts = :attempts, next_attempt_at = :at, lease_until = NULL
     WHERE number = :number`,
  );
  const readEarliest = db.prepare(
    `SELECT d.next_attempt_at AS at FROM delivery AS d INDEXED BY delivery_by_time
     WHERE d.state = 'PENDING' AND d.lease_until IS NULL AND ${isFirst} ORDER BY d.next_attempt_at LIMIT 1`,
  );
  const readPlace = db.prepare(
    `SELECT d.number FROM delivery AS d JOIN job ON job.number = d.job WHERE d.id = ? AND job.id = ?`,
  );
  const readNewest = db.prepare(
    `SELECT ${deliveryColumns} FROM job JOIN delivery AS d INDEXED BY delivery_by_job ON d.job = job.number
     WHERE job.id = ? AND job.${visible} AND d.number < ? ORDER BY d.number DESC LIMIT ?`,
  );

  const guard = guardAt(place);

  return {
    takeDelivery: (now, leaseUntil) =>
      guard(() => {
        const found = readDue.get({ now: now.getTime() });
        if (found === undefined) return null;
        inTransaction(db, () => lease.run(leaseUntil.getTime(), Number(found.number)));
        return {
          ...readDeliveryRow(found),
          url: String(found.webhook_url),
          secret: String(found.webhook_secret),
          jobName: text(found.name),
          jobState: String(found.job_state) as JobState,
          counters: JSON.parse(String(found.counters)) as JobCounters,
        };
      }),
    noteAttempt: (id, attempt, outcome) =>
      guard(() =>
        inTransaction(db, () => {
          const found = readOne.get(id);
          if (found === undefined) return;
          note.run({
            number: Number(found.number),
            state: typeof outcome === 'string' ? outcome : 'PENDING',
            attempts: addAttempt(String(found.attempts), attempt),
            at: typeof outcome === 'string' ? null : outcome.retryAt.getTime(),
          });
        }),
      ),
    nextDeliveryAt: () => guard(() => date(readEarliest.get()?.at)),
    listDeliveries: (jobId, { limit, afterId }) =>
      guard(() => {
        const after = afterId === null ? Number.MAX_SAFE_INTEGER : readPlace.get(afterId, jobId)?.number;
        const rows = typeof after === 'number' ? readNewest.all(jobId, after, limit + 1) : [];
        return pageOf(rows, limit, readDeliveryRow);
      }),
  };
};

/** After a crash: nobody is at any of them. */
export const recoverDeliveries = (db: DatabaseSync): void =>
  db.exec('UPDATE delivery SET lease_until = NULL WHERE lease_until IS NOT NULL');
