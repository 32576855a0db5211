/** Jobs are paused, resumed and cancelled, each under the job's lock, held alone. */
import { clock, type Query } from './database.ts';
import { announce } from './deliveries.ts';
import { dropChunks, dropPlaces, placeAgain } from './places.ts';
import type { Tickets } from './tickets.ts';

export const createControl = (tickets: Tickets) => ({
  pause: async (query: Query, job: number): Promise<void> => {
    const [paused] = await query(
      `UPDATE job SET state = 'PAUSED' WHERE number = $1 AND state IN ('QUEUED', 'RUNNING') RETURNING 1 AS done`,
      [job],
    );
    if (paused === undefined) return;
    await dropPlaces(query, tickets, job, { isHeldToo: false });
    await query('UPDATE chunk SET ticket = NULL WHERE job = $1 AND lease IS NULL', [job]);
  },

  resume: async (query: Query, job: number): Promise<void> => {
    const [resumed] = await query(
      `UPDATE job SET state = CASE WHEN started_at IS NULL THEN 'QUEUED' ELSE 'RUNNING' END
       WHERE number = $1 AND state = 'PAUSED' RETURNING 1 AS done`,
      [job],
    );
    if (resumed === undefined) return;
    // Rows that were never asked may start at once, whatever the clock said when the list came.
    const chunks = await query(
      `SELECT chunk.id, chunk.queue, chunk.ordinal, job.id AS job_id,
         CASE WHEN tries = 0 THEN least(not_before, ${clock}) ELSE not_before END AS not_before
       FROM chunk JOIN job ON job.number = chunk.job WHERE chunk.job = $1 AND chunk.ticket IS NULL`,
      [job],
    );
    await placeAgain(query, tickets, chunks);
  },

  cancel: async (query: Query, job: number): Promise<void> => {
    const [cancelled] = await query(
      `UPDATE job SET state = 'CANCELLED', ended_at = ${clock}, waiting = 0
       WHERE number = $1 AND state IN ('QUEUED', 'RUNNING', 'PAUSED') RETURNING 1 AS done`,
      [job],
    );
    if (cancelled === undefined) return;
    await dropChunks(query, tickets, job);
    await announce(query, job, 'bulk_job.cancelled');
  },
});
