/** From the answer to an MX question to where mail goes (RFC 5321 §5.1, RFC 7505). */
import type { DomainName, ExchangeHost } from '../address/index.ts';
import type { MailExchange, MailHosts } from './types.ts';
import type { DnsAnswer, DnsRecord } from './wire.ts';

/** Exchanges that a verification may try: a zone with a thousand must not make it knock on a thousand doors. */
const EXCHANGE_CEILING = 10;

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
      if (answer.records.every(isRoot)) return { kind: 'nullMx', domain };
      const [first, ...others] = orderExchanges(answer.records, random);
      // MX records that name no usable host still forbid the domain's own address (RFC 5321 §5.1).
      return first === undefined
        ? { kind: 'noMailHost', domain }
        : { kind: 'exchanges', domain, exchanges: [first, ...others], isImplicit: false };
    }
  }
};

/** RFC 7505 §3: a null MX stands alone; beside others it is a mistake, and only the others can take mail. */
const isRoot = ({ text }: DnsRecord): boolean => text === '' || text === '.';

const orderExchanges = (records: readonly DnsRecord[], random: () => number): MailExchange[] => {
  const preferences = new Map<ExchangeHost, number>();
  for (const { text, preference } of records) {
    const host = readExchangeHost(text);
    if (host !== null) preferences.set(host, Math.min(preference, preferences.get(host) ?? preference));
  }
  return [...preferences]
    .map(([host, preference]) => ({ host, preference, draw: random() }))
    .sort((one, other) => one.preference - other.preference || one.draw - other.draw)
    .slice(0, EXCHANGE_CEILING)
    .map(({ host, preference }) => ({ host, preference }));
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
