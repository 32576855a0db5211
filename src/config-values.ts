/** Text of a setting → its value. Each throws a ConfigError that says what was expected; `readConfig` adds the name. */
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import { parseAddress, parseDomain } from './address/index.ts';
import { parseDuration } from './duration.ts';
import { isKeyText } from './keys/index.ts';

/** A SOCKS5 proxy. User and password are behind a function, so that no dump of a configuration shows them. */
export type ProxySetting = {
  readonly host: string;
  readonly port: number;
  /** Null: the proxy asks for none. */
  readonly readCredentials: () => { readonly user: string; readonly password: string } | null;
};

/** PostgreSQL. The URL holds a password: behind a function, so that no dump of a configuration shows it. */
export type DatabaseSetting = { readonly readUrl: () => string };

/** An API key, behind a function, so that no dump of a configuration shows it. */
export type ApiKeySetting = { readonly read: () => string };

/** One bad setting, in one line that names it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export const expected = (what: string): never => {
  throw new ConfigError(`expected ${what}`);
};

export const integer =
  (least: number, most: number) =>
  (text: string): number => {
    const value = /^\d{1,13}$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most ? value : expected(`a whole number from ${least} to ${most}`);
  };

export const flag = (text: string): boolean =>
  text === '1' ? true : text === '0' || text === '' ? false : expected('0 or 1');

export const oneOf =
  <Word extends string>(...words: readonly Word[]) =>
  (text: string): Word =>
    words.find((word) => word === text) ?? expected(words.join(' or '));

/** An address or any other name; shown in the console and kept in the store. */
export const sourceName = (text: string): string =>
  /^[\x21-\x7e]{0,100}$/.test(text) ? text : expected('at most 100 characters of plain ASCII without spaces');

export const list =
  <Item>(parseItem: (text: string) => Item) =>
  (text: string): readonly Item[] =>
    text.trim() === '' ? [] : text.split(',').map((item) => parseItem(item.trim()));

export const duration = (text: string): number =>
  parseDuration(text) ?? expected('durations such as 90s, 15m, 12h or 7d');

/** What somebody waits for. */
export const shortDuration = (text: string): number => {
  const seconds = duration(text);
  return seconds <= 600 ? seconds : expected('at most 10m');
};

export const dnsServer = (text: string): string => {
  const match = /^\[(.+)\]:(\d{1,5})$/.exec(text) ?? /^([\d.]+):(\d{1,5})$/.exec(text);
  const [ip, port] = match ? [match[1] ?? '', Number(match[2])] : [text, 53];
  return isIP(ip) !== 0 && port >= 1 && port <= 65_535 ? text : expected('ip, ip:port or [ipv6]:port');
};

export const cidr = (text: string): string => {
  const range = text.includes('/') ? text : `${text}/${isIP(text) === 6 ? 128 : 32}`;
  return ipaddr.isValidCIDR(range) ? range : expected('CIDRs such as 10.0.0.0/8 or fd00::/8');
};

/** An address of this machine. The whole of 127.0.0.0/8 is (RFC 1122 §3.2.1.3). */
export const sourceIp = (text: string): string => {
  const own = Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).map(({ address }) => address),
  );
  if (isIP(text) === 0)
    return expected(`addresses of this machine, and ${JSON.stringify(text)} is no address`);
  const ip = ipaddr.parse(text).toString();
  return own.includes(ip) || (isIP(ip) === 4 && ip.startsWith('127.'))
    ? ip
    : expected(`addresses of this machine, and ${text} is none of them`);
};

/** RFC 1929 §2: 1 to 255 octets each. Whatever is wrong, the text is not repeated: it may hold a password. */
export const proxy = (text: string): ProxySetting | null => {
  if (text === '') return null;
  const wanted = 'socks5://host:port or socks5://user:password@host:port, percent-encoded';
  const url = URL.canParse(text) ? new URL(text) : expected(wanted);
  const isBare = ['', '/'].includes(url.pathname) && url.search === '' && url.hash === '';
  if (url.protocol !== 'socks5:' || url.hostname === '' || url.port === '' || !isBare)
    return expected(wanted);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const [user, password] = [url.username, url.password].map(decodePercent);
  const isSayable = (part: string | undefined): part is string =>
    part !== undefined && Buffer.byteLength(part) >= 1 && Buffer.byteLength(part) <= 255;
  if (url.username === '' && url.password === '')
    return { host, port: Number(url.port), readCredentials: () => null };
  return isSayable(user) && isSayable(password)
    ? { host, port: Number(url.port), readCredentials: () => ({ user, password }) }
    : expected(wanted);
};

const decodePercent = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
};

/** An origin as browsers write it (RFC 6454 §6.2): compared letter by letter, so that a path or a `*` never matches. */
export const webOrigin = (text: string): string =>
  /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text
    ? text
    : expected('origins such as https://app.example or http://localhost:5173, without a path');

/** RFC 5321 §4.1.4: a name that is ours, or an address literal; `localhost` is neither. */
export const heloName = (text: string): string => {
  const literal = /^\[(?:IPv6:)?([^\]]+)\]$/i.exec(text);
  if (literal && isIP(literal[1] ?? '') !== 0) return text;
  const parsed = parseDomain(text);
  return parsed.kind === 'domain' && !/(^|\.)(localhost|localdomain)$/.test(parsed.domain)
    ? parsed.domain
    : expected('a fully qualified domain name that is yours, or an address literal, never localhost');
};

export const mailFrom = (text: string): string => {
  const path = text.replace(/^<(.*)>$/, '$1');
  if (path === '') return '';
  const parsed = parseAddress(path);
  return parsed.kind === 'address'
    ? `${parsed.address.localPart}@${parsed.address.domain}`
    : expected('<> or an address');
};

/** The host's fully qualified name, or else the literal of its first outside address (RFC 5321 §4.1.3). */
export const ownName = (): string => {
  const name = hostname();
  if (name.includes('.') && parseDomain(name).kind === 'domain') return name;
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find((address) => !address.internal && address.family === 'IPv4');
  return `[${outside?.address ?? '127.0.0.1'}]`;
};

/** A URL of PostgreSQL, whose password no message repeats. */
export const database = (text: string): DatabaseSetting | null => {
  if (text === '') return null;
  const isPostgres = URL.canParse(text) && /^postgres(?:ql)?:$/.test(new URL(text).protocol);
  return isPostgres
    ? { readUrl: () => text }
    : expected('a URL like postgres://user:password@host:port/database');
};

/** Whatever is wrong, the text is not repeated. */
export const apiKey = (text: string): ApiKeySetting | null => {
  if (text === '') return null;
  return isKeyText(text) ? { read: () => text } : expected('an API key whole, as rcpt keys create showed it');
};
