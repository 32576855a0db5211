/** Where a webhook goes, read from its URL, and what makes a URL unfit for that. */
import { isIP } from 'node:net';
import { type ExchangeHost, parseExchangeHost } from '../../address/index.ts';
import { blockedPorts } from './blocked-ports.ts';

export type Receiver = {
  readonly protocol: 'http:' | 'https:';
  /** A name, or an IP address without brackets. */
  readonly host: ExchangeHost | string;
  readonly port: number;
  /** With the query. */
  readonly path: string;
  /** The `host` header: with the port where it is not the scheme's own. */
  readonly authority: string;
};

/** What a column of a database and a line of a request hold; a URL that is longer carries data, not a place. */
const longestUrl = 2_048;

/** @returns the receiver, or what is wrong with the URL, to be read after "The URL" */
export const readReceiver = (text: string): Receiver | string => {
  if (text.length > longestUrl) return `has ${text.length} characters; at most ${longestUrl} are taken`;
  // `URL` would drop spaces, tabs and line ends in silence.
  const url = /[\s\p{Cc}]/u.test(text) ? null : URL.parse(text);
  if (url === null) return 'is no absolute URL';
  const { protocol } = url;
  if (protocol !== 'https:' && protocol !== 'http:') return 'must begin with https:// or http://';
  if (url.username !== '' || url.password !== '') return 'must not hold a user or a password';
  if (text.includes('#')) return 'must not have a fragment, which no server sees';
  const port = url.port === '' ? (protocol === 'https:' ? 443 : 80) : Number(url.port);
  if (blockedPorts.has(port)) return `has the port ${port}, where no HTTP is sent to`;
  const host = readHost(url.hostname);
  return host === null
    ? 'has no host name that the DNS could know'
    : { protocol, host, port, path: url.pathname + url.search, authority: url.host };
};

const readHost = (hostname: string): string | null => {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) !== 0) return bare;
  const name = parseExchangeHost(bare);
  // No resolver is asked for it (RFC 6761 §6.3).
  return name !== null && /(?:^|\.)localhost$/.test(name) ? '127.0.0.1' : name;
};
