import { createHmac, timingSafeEqual } from 'node:crypto';
import type { DownloadFormat } from '../graphql/index.ts';

/** What a link to results grants: one job's results, in one format, until a moment. */
type ResultsGrant = {
  readonly jobId: string;
  readonly format: DownloadFormat;
  readonly expires: number;
};

export type Links = {
  /** An absolute URL that nobody can guess or change. `origin` without a trailing slash. */
  printResultsUrl(origin: string, jobId: string, format: DownloadFormat): string;
  /** What the URL grants, or why it grants nothing; null when it is no such link at all. */
  readResultsUrl(url: URL): ResultsGrant | 'expired' | 'invalid' | null;
};

const path = /^\/results\/([0-9a-f-]{36})\.(csv|ndjson)$/;

/**
 * @param secret at least 32 octets; links outlive the process only if it does
 * @param now epoch milliseconds
 */
export const createLinks = (options: {
  readonly secret: string | Uint8Array;
  readonly lifeSeconds: number;
  readonly now?: () => number;
}): Links => {
  const { secret, lifeSeconds, now = Date.now } = options;
  // The purpose is signed too, so that no signature of another kind of link ever fits.
  const sign = (jobId: string, format: string, expires: number): Buffer =>
    createHmac('sha256', secret).update(`results\n${jobId}\n${format}\n${expires}`).digest();

  return {
    printResultsUrl: (origin, jobId, format) => {
      const extension = format.toLowerCase();
      const expires = Math.floor(now() / 1_000) + lifeSeconds;
      const signature = sign(jobId, extension, expires).toString('base64url');
      return `${origin}/results/${jobId}.${extension}?expires=${expires}&signature=${signature}`;
    },
    readResultsUrl: ({ pathname, searchParams }) => {
      const [, jobId, extension] = path.exec(pathname) ?? [];
      if (jobId === undefined || extension === undefined) return null;
      const expires = /^\d{1,12}$/.test(searchParams.get('expires') ?? '')
        ? Number(searchParams.get('expires'))
        : 0;
      const given = Buffer.from(searchParams.get('signature') ?? '', 'base64url');
      const expected = sign(jobId, extension, expires);
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'invalid';
      if (expires * 1_000 <= now()) return 'expired';
      return { jobId, format: extension === 'csv' ? 'CSV' : 'NDJSON', expires };
    },
  };
};
