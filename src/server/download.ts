/** Results as a file, for whoever has the link. */
import { ReadableStream } from 'node:stream/web';
import { cleanFileName, type Job, type Jobs, printResults, resultFormats } from '../jobs/index.ts';
import { faultResponse } from './fault.ts';
import type { Links } from './link.ts';
import { describeFault, type Logger } from './log.ts';

export type DownloadOptions = {
  readonly links: Links;
  readonly jobs: Pick<Jobs, 'read' | 'rows'>;
  readonly logger: Logger;
};

/** RFC 8187 §3.2: what may stand unescaped in an extended value. */
const escapeExtended = (text: string): string =>
  encodeURIComponent(text).replace(/['()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);

/** Content-Disposition (RFC 6266 §4): the caller's own name for the list, in ASCII and as it is. */
export const printDisposition = ({ id, list, name }: Job, extension: string): string => {
  const given = cleanFileName(list.fileName?.replace(/(?:\.[a-z]{2,6}){1,2}$/i, '') ?? name ?? '');
  const file = given === null ? `results-${id}.${extension}` : `${given}-results.${extension}`;
  const plain = file.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  return plain === file
    ? `attachment; filename="${file}"`
    : `attachment; filename="${plain}"; filename*=UTF-8''${escapeExtended(file)}`;
};

export const createDownload = ({ links, jobs, logger }: DownloadOptions) => {
  /** A download that breaks off half-way can say so only by breaking off; the log says why. */
  const logged = async function* <Chunk>(chunks: AsyncIterable<Chunk>): AsyncGenerator<Chunk> {
    try {
      yield* chunks;
    } catch (fault) {
      logger.error('download broke off', describeFault(fault));
      throw fault;
    }
  };

  /** Null when the URL is no link to results. */
  return async (
    request: Request,
    url: URL,
    Response: typeof globalThis.Response,
  ): Promise<Response | null> => {
    const grant = links.readResultsUrl(url);
    if (grant === null) return null;
    if (grant === 'invalid')
      return faultResponse(Response, 403, 'LINK_INVALID', 'This link was not given out by this gateway.');
    if (grant === 'expired')
      return faultResponse(Response, 410, 'LINK_EXPIRED', 'This link has expired: ask for resultsUrl again.');
    const job = await jobs.read(grant.jobId);
    if (job === null) return faultResponse(Response, 404, 'NOT_FOUND', 'There is no such job (any more).');
    const { mediaType, extension } = resultFormats[grant.format];
    const body =
      request.method === 'HEAD' ? null : ReadableStream.from(logged(printResults(jobs, job, grant.format)));
    return new Response(body as unknown as BodyInit, {
      headers: {
        'content-type': mediaType,
        'content-disposition': printDisposition(job, extension),
        // The link is the credential: it must not travel on as a referrer.
        'referrer-policy': 'no-referrer',
      },
    });
  };
};
