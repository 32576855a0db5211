/** What a receiver reads. It holds counts and the job's name, never an address. */
import type { DueDelivery } from '../ports.ts';

/** As printed the octets are signed and sent: nobody may print them again. */
export const printPayload = (
  { event, createdAt, jobId, jobName, jobState, counters }: DueDelivery,
  printJobId: (jobId: string) => string,
): Buffer =>
  Buffer.from(
    JSON.stringify({
      type: event,
      timestamp: createdAt.toISOString(),
      data: {
        id: printJobId(jobId),
        name: jobName,
        state: jobState,
        progress: {
          total: counters.total,
          settled: counters.settled,
          waiting: counters.waiting,
          deliverable: counters.deliverable,
          undeliverable: counters.undeliverable,
          risky: counters.risky,
          unknown: counters.unknown,
          duplicates: counters.duplicates,
        },
      },
    }),
  );
