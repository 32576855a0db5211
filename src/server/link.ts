import { createHmac, timingSafeEqual } from 'node:crypto';
import { type ResultFormat, resultFormats } from '../jobs/index.ts';

/** What a link to results grants: one job's results, in one format, until a moment. */
type ResultsGrant = { readonly jobId: string; readonly format: ResultFormat };
/** What a link to an upload grants: to write it and to see how far it is. */
type UploadGrant = { readonly uploadId: string };
type Read<Grant> = Grant | 'expired' | 'invalid' | null;

export type Links = {
  /** An absolute URL that nobody can guess or change. `origin` without a trailing slash. */
  printResultsUrl(origin: string, jobId: string, format: ResultFormat): string;
  /** What the URL grants, or why it grants nothing; null when it is no such link at all. */
  readResultsUrl(url: URL): Read<ResultsGrant>;
  printUploadUrl(origin: string, uploadId: string, expiresAt: Date): string;
  readUploadUrl(url: URL): Read<UploadGrant>;
};

const extensions = Object.values(resultFormats).map(({ extension }) => extension);
const resultsPath = new RegExp(`^/results/([0-9a-f-]{36})\\.(${extensions.join('|')})$`);
const uploadPath = /^\/uploads\/([0-9a-f-]{36})$/;
const formatOf = (extension: string): ResultFormat => extension.toUpperCase() as ResultFormat;

/**
 * @param secret at least 32 octets; links outlive the process only if it does
 * @param now epoch milliseconds
 */
export const createLinks = (options: {
  readonly secret: string | Uint8Array;
  /** Of a link to results; one to an upload lives as long as that. */
  readonly lifeSeconds: number;
  readonly now?: () => number;
}): Links => {
  const { secret, lifeSeconds, now = Date.now } = options;
  // The purpose is signed too, so that no signature of another kind of link ever fits.
  const sign = (purpose: 'results' | 'upload', what: string, expires: number): Buffer =>
    createHmac('sha256', secret).update(`${purpose}\n${what}\n${expires}`).digest();
  const print = (purpose: 'results' | 'upload', what: string, expires: number): string =>
    `expires=${expires}&signature=${sign(purpose, what, expires).toString('base64url')}`;
  const check = (
    purpose: 'results' | 'upload',
    what: string,
    { searchParams }: URL,
  ): 'expired' | 'invalid' | 'good' => {
    const expires = /^\d{1,12}$/.test(searchParams.get('expires') ?? '')
      ? Number(searchParams.get('expires'))
      : 0;
    const given = Buffer.from(searchParams.get('signature') ?? '', 'base64url');
    const expected = sign(purpose, what, expires);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'invalid';
    return expires * 1_000 <= now() ? 'expired' : 'good';
  };

  return {
    printResultsUrl: (origin, jobId, format) => {
      const { extension } = resultFormats[format];
      const expires = Math.floor(now() / 1_000) + lifeSeconds;
      return `${origin}/results/${jobId}.${extension}?${print('results', `${jobId}\n${extension}`, expires)}`;
    },
    readResultsUrl: (url) => {
      const [, jobId, extension] = resultsPath.exec(url.pathname) ?? [];
      if (jobId === undefined || extension === undefined) return null;
      const checked = check('results', `${jobId}\n${extension}`, url);
      return checked === 'good' ? { jobId, format: formatOf(extension) } : checked;
    },
    printUploadUrl: (origin, uploadId, expiresAt) =>
      `${origin}/uploads/${uploadId}?${print('upload', uploadId, Math.floor(expiresAt.getTime() / 1_000))}`,
    readUploadUrl: (url) => {
      const [, uploadId] = uploadPath.exec(url.pathname) ?? [];
      if (uploadId === undefined) return null;
      const checked = check('upload', uploadId, url);
      return checked === 'good' ? { uploadId } : checked;
    },
  };
};
