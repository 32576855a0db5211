/**
 * Requests that are no good HTTP: each is answered in GraphQL's shape with a code, and its socket closed where nothing
 * more can be understood. Node's parser refuses what would smuggle a header (a bare CR or LF, RFC 9112 §2.2), too many
 * octets of headers and headers that come too slowly; what it lets pass is refused here.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { printFault, type RequestFaultCode } from './fault.ts';

type Malformed = { readonly status: string; readonly code: RequestFaultCode; readonly message: string };

/**
 * Headers that decide who asks and what is read: twice is a contradiction (RFC 9110 §5.3), and two programs on the way
 * may each believe another one. Node keeps the first without a word.
 */
const singular = ['authorization', 'content-length', 'content-type', 'host', 'origin'];

/** Null when the headers say each thing once. */
export const findRepeatedHeader = ({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): string | null => {
  const seen = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    if (!singular.includes(name)) continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return null;
};

export const repeatedHeader = (name: string): Malformed => ({
  status: '400 Bad Request',
  code: 'REPEATED_HEADER',
  message: `The header ${name} is there twice.`,
});

/** What Node's parser has against a request, by its own code. */
const classifyParserError = (code: string | undefined): Malformed => {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return {
        status: '431 Request Header Fields Too Large',
        code: 'HEADERS_TOO_LARGE',
        message: 'The URL and the headers have more octets than are taken: send the document by POST.',
      };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return {
        status: '408 Request Timeout',
        code: 'REQUEST_TIMEOUT',
        message: 'The request did not come in time.',
      };
    default:
      return { status: '400 Bad Request', code: 'MALFORMED_REQUEST', message: 'This is no HTTP request.' };
  }
};

/** Answers a request that Node let pass, and closes its connection. */
export const refuseRequest = (response: ServerResponse, { status, code, message }: Malformed): void => {
  const body = printFault(code, message);
  response.writeHead(Number.parseInt(status, 10), {
    connection: 'close',
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
};

/** Answers on the bare socket and closes it. */
export const refuseSocket = (socket: Duplex, { status, code, message }: Malformed): void => {
  socket.on('error', () => socket.destroy());
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = printFault(code, message);
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    () => socket.destroy(),
  );
};

export const answerMalformed = (http: Server): void => {
  /** Requests under way on a socket: an answer of theirs must not be cut in two. */
  const underWay = new WeakMap<Duplex, number>();
  const count = (socket: Duplex, change: 1 | -1): void => {
    underWay.set(socket, (underWay.get(socket) ?? 0) + change);
  };
  http.on('request', ({ socket }, response) => {
    count(socket, 1);
    response.once('close', () => count(socket, -1));
  });
  http.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === 'ECONNRESET' || (underWay.get(socket) ?? 0) > 0) socket.destroy();
    else refuseSocket(socket, classifyParserError(error.code));
  });
};
