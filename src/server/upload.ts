/**
 * `PUT /uploads/<id>`: a file in one piece, or in pieces with `Content-Range` (RFC 9110 §14.4), straight to the disk.
 * It is served beside Yoga, on the bare request: neither its memory nor its time is that of a GraphQL request.
 *
 * 201 the file is complete · 308 it is not, go on behind `Range` (no Location: nobody follows it elsewhere) · 403 and 410
 * the link · 409 somebody else is at it, or it is complete · 413 too large · 416 the piece does not begin where the file
 * ends · 507 the disk is full. A `Content-Range` whose range is `*`, or HEAD, asks how far it is.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { writeGlobalId } from '../graphql/index.ts';
import type { Upload, UploadPiece, Uploads, WriteUploadOutcome } from '../jobs/index.ts';
import { type Admission, callerHeadersOf, classifyCaller } from './caller.ts';
import { printCorsHeaders } from './cors.ts';
import { printFault, type RequestFaultCode } from './fault.ts';
import { mostLingeringMs, uploadStallMs } from './limits.ts';
import type { Links } from './link.ts';
import { describeFault, type Logger } from './log.ts';

export type UploadOptions = {
  readonly links: Links;
  readonly uploads: Uploads;
  readonly admission: Admission;
  readonly isSandbox: boolean;
  readonly logger: Logger;
  /** Milliseconds without an octet; for tests. */
  readonly stallMs?: number | undefined;
};

/** Is it for this handler? By the path alone, before anything is parsed. */
export const isUploadPath = (url: string | undefined): boolean => url?.startsWith('/uploads/') === true;

type Answer = { readonly status: number; readonly headers?: Record<string, string>; readonly body: string };

const fault = (
  status: number,
  code: RequestFaultCode,
  message: string,
  headers: Record<string, string> = {},
): Answer => ({ status, headers, body: printFault(code, message) });

/** RFC 9110 §14.4: what is there, for 308 and 416. Nothing is left out for an empty file. */
const rangeOf = ({ receivedBytes }: Upload): Record<string, string> =>
  receivedBytes === 0 ? {} : { range: `bytes=0-${receivedBytes - 1}` };

const printUpload = ({ id, state, receivedBytes, sizeBytes }: Upload): string =>
  JSON.stringify({ id: writeGlobalId('Upload', id), state, receivedBytes, sizeBytes });

const tell = (upload: Upload): Answer =>
  upload.state === 'OPEN'
    ? { status: 308, headers: rangeOf(upload), body: printUpload(upload) }
    : { status: 201, body: printUpload(upload) };

/** What the headers say the body is: a piece, the whole, a question; null when they contradict themselves. */
const readPiece = (
  contentRange: string | undefined,
  contentLength: number | null,
): (UploadPiece & { readonly isLast: boolean }) | 'question' | null => {
  if (contentRange === undefined) return { start: 0, total: contentLength, isLast: true };
  if (/^bytes \*\/(?:\d{1,15}|\*)$/.test(contentRange)) return 'question';
  const [, start, end, size] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(contentRange) ?? [];
  if (start === undefined || end === undefined || size === undefined) return null;
  const length = Number(end) - Number(start) + 1;
  const total = size === '*' ? null : Number(size);
  if (length < 1 || (contentLength !== null && contentLength !== length)) return null;
  if (total !== null && Number(end) >= total) return null;
  return { start: Number(start), total, isLast: total !== null && Number(end) === total - 1 };
};

const answerOf = (outcome: WriteUploadOutcome): Answer => {
  switch (outcome.kind) {
    case 'written':
      return tell(outcome.upload);
    case 'misplaced':
      return fault(
        416,
        'BAD_RANGE',
        `The piece must begin at ${outcome.upload.receivedBytes}, where the file ends.`,
        rangeOf(outcome.upload),
      );
    case 'tooLarge':
      return fault(
        413,
        'BODY_TOO_LARGE',
        `At most ${outcome.limitBytes} octets are taken (RCPT_MAX_UPLOAD_BYTES, or the size that was said). Nothing was kept.`,
      );
    case 'busy':
      return fault(409, 'UPLOAD_BUSY', 'Somebody else is writing to this upload.');
    case 'closed':
      return fault(409, 'UPLOAD_COMPLETE', 'This upload is complete and takes no more.');
    case 'noUpload':
      return fault(404, 'NOT_FOUND', 'There is no such upload (any more).');
    case 'storeTrouble':
      return fault(
        507,
        'STORAGE_UNAVAILABLE',
        'The disk of the gateway is full. Nothing of the file was kept.',
      );
  }
};

export const createUploadHandler = (options: UploadOptions) => {
  const { links, uploads, admission, isSandbox, logger, stallMs = uploadStallMs } = options;

  const decide = async (request: IncomingMessage): Promise<Answer> => {
    const { headers, method = '' } = request;
    const stranger = classifyCaller(callerHeadersOf(request), admission);
    if (stranger !== null) return fault(403, stranger.code, stranger.message);
    const base = 'http://gateway';
    const grant = URL.canParse(request.url ?? '', base)
      ? links.readUploadUrl(new URL(request.url ?? '', base))
      : null;
    if (grant === null) return fault(404, 'NOT_FOUND', 'There is no such upload (any more).');
    if (grant === 'invalid')
      return fault(403, 'LINK_INVALID', 'This link was not given out by this gateway.');
    if (grant === 'expired') return fault(410, 'LINK_EXPIRED', 'This upload has expired: make another one.');
    if (method !== 'PUT' && method !== 'HEAD')
      return fault(405, 'METHOD_NOT_ALLOWED', 'Send the file by PUT.', { allow: 'PUT, HEAD' });
    if (headers['content-encoding'] !== undefined)
      return fault(
        415,
        'UNSUPPORTED_MEDIA_TYPE',
        'Send the file without Content-Encoding; a gzipped file may be sent as it is.',
      );
    const length = headers['content-length'];
    const piece =
      method === 'HEAD'
        ? 'question'
        : readPiece(headers['content-range'], length === undefined ? null : Number(length));
    if (piece === null)
      return fault(
        400,
        'BAD_RANGE',
        'Content-Range must be `bytes first-last/total` and fit the length of the body.',
      );
    if (piece === 'question') {
      const upload = await uploads.read(grant.uploadId);
      return upload === null ? fault(404, 'NOT_FOUND', 'There is no such upload (any more).') : tell(upload);
    }
    // Whoever stops reading early must not destroy the request: the answer still goes out by its socket.
    const octets = request.iterator({ destroyOnReturn: false });
    return answerOf(await uploads.write(grant.uploadId, piece, octets));
  };

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { socket } = request;
    const stop = (): void => void request.destroy(new Error('no octet came in time'));
    socket.setTimeout(stallMs, stop);
    let answer: Answer;
    try {
      answer = await decide(request);
    } catch (error) {
      // A caller who broke off hears nothing; what came of the file is there.
      if (!request.errored && !request.destroyed) logger.error('upload failed', describeFault(error));
      answer = fault(500, 'INTERNAL', 'Internal error. The log has the details.');
    } finally {
      socket.setTimeout(0);
      socket.off('timeout', stop);
    }
    if (response.destroyed || socket.destroyed) return;
    response.writeHead(answer.status, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      ...(isSandbox ? { 'x-rcpt-simulated': 'true' } : {}),
      ...printCorsHeaders(request.headers.origin, admission),
      ...answer.headers,
    });
    response.end(request.method === 'HEAD' ? undefined : answer.body);
    if (request.complete) return;
    // Most clients hear the answer only when they have sent everything: what still comes is dropped for a moment.
    request.resume();
    const lingering = setTimeout(() => socket.destroy(), mostLingeringMs);
    request.once('close', () => clearTimeout(lingering));
  };
};
