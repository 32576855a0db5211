/** From the answer to an MX question to where mail goes (RFC 5321 §5.1, RFC 7505). */
import type { DomainName, ExchangeHost } from '../address/index.ts';
import type { MailExchange, MailHosts } from './types.ts';
import type { DnsAnswer, DnsRecord } from './wire.ts';

/** Exchanges that a verification may try: a zone with a thousand must not make it knock on a thousand doors. */
const EXCHANGE_CEILING = 10;

/** An answer as it was read: it is remembered, and each of a list's addresses asks for its domain's again. */
type Reading = {
  readonly hosts: MailHosts;
  /** By preference, all of them: those of equal preferences are still to be drawn. Null when none are. */
  readonly toDraw: readonly MailExchange[] | null;
};

/** Reading a remembered answer again cost 4 µs of the 70 that a verification took. */
const readings = new WeakMap<DnsAnswer, Reading>();

/**
 * The finding that an MX answer stands for; `implicit` when there is none and the domain's own address decides.
 * Equal preferences are drawn anew each time, which spreads load as RFC 5321 §5.1 asks.
 * @param random from 0 up to, not including, 1
 */
export const classifyMxAnswer = (
  domain: DomainName,
  answer: DnsAnswer,
  random: () => number,
): MailHosts | 'implicit' => {
  switch (answer.kind) {
    case 'failure':
      // Never fall back to the address here: the MX that could not be read may point elsewhere (RFC 5321 §5.1).
      return { kind: 'failure', domain, failure: answer.failure };
    case 'nxdomain':
      return { kind: 'domainNotFound', domain };
    case 'nodata':
      return 'implicit';
    case 'records': {
      let reading = readings.get(answer);
      if (reading === undefined || reading.hosts.domain !== domain) {
        reading = readRecords(domain, answer.records);
        readings.set(answer, reading);
      }
      return reading.toDraw === null ? reading.hosts : listHosts(domain, draw(reading.toDraw, random));
    }
  }
};

/** RFC 7505 §3: a null MX stands alone; beside others it is a mistake, and only the others can take mail. */
const isRoot = ({ text }: DnsRecord): boolean => text === '' || text === '.';

const readRecords = (domain: DomainName, records: readonly DnsRecord[]): Reading => {
  if (records.every(isRoot)) return { hosts: { kind: 'nullMx', domain }, toDraw: null };
  const preferences = new Map<ExchangeHost, number>();
  for (const { text, preference } of records) {
    const host = readExchangeHost(text);
    if (host !== null) preferences.set(host, Math.min(preference, preferences.get(host) ?? preference));
  }
  const exchanges = [...preferences]
    .map(([host, preference]) => ({ host, preference }))
    .sort((one, other) => one.preference - other.preference);
  const isDrawn = new Set(preferences.values()).size < exchanges.length;
  return { hosts: listHosts(domain, exchanges), toDraw: isDrawn ? exchanges : null };
};

const draw = (exchanges: readonly MailExchange[], random: () => number): MailExchange[] =>
  exchanges
    .map((exchange) => ({ exchange, drawn: random() }))
    .sort((one, other) => one.exchange.preference - other.exchange.preference || one.drawn - other.drawn)
    .map(({ exchange }) => exchange);

/** MX records that name no usable host still forbid the domain's own address (RFC 5321 §5.1). */
const listHosts = (domain: DomainName, ordered: readonly MailExchange[]): MailHosts => {
  const [first, ...others] = ordered.slice(0, EXCHANGE_CEILING);
  return first === undefined
    ? { kind: 'noMailHost', domain }
    : { kind: 'exchanges', domain, exchanges: [first, ...others], isImplicit: false };
};

/**
 * A host name as an MX names it; null for what cannot be one. An IP address in an MX is a name that does not exist
 * (its last label is all digits, RFC 3696 §2), and no resolver should be asked for it. Underscores are
 * against RFC 952 and work, so they pass.
 */
export const readExchangeHost = (text: string): ExchangeHost | null => {
  const name = text.toLowerCase().replace(/\.$/, '');
  const labels = name.split('.');
  return name.length <= 253 &&
    labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? '')
    ? (name as ExchangeHost)
    : null;
};
