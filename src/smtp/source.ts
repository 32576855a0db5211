/**
 * Which local address a connection leaves from (RCPT_SOURCE_IPS). A greylisting server knows us by source address,
 * reverse path and recipient, so one set of exchanges always sees the same source: it is chosen by a hash and not by
 * turns, and survives a restart. Rendezvous hashing, so that a source that is added or taken away moves only the sets
 * that it wins or held.
 */
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import type { ExchangeHost } from '../address/index.ts';

export type SourcePool = {
  /**
   * @param hosts one set of exchanges, in whatever order
   * @param ip the address that is connected to: the source is of its family
   * @returns null: there are sources, but none of that family; undefined: the system chooses
   */
  choose(hosts: readonly ExchangeHost[], ip: string): string | null | undefined;
};

const weigh = (key: string, source: string): string =>
  createHash('sha256').update(`${source} ${key}`).digest('hex');

/** @throws when one of them is no address: that is a setting, checked at start */
export const createSourcePool = (sourceIps: readonly string[]): SourcePool => {
  for (const ip of sourceIps) if (isIP(ip) === 0) throw new Error(`${ip} is no address to connect from`);
  return {
    choose(hosts, ip) {
      if (sourceIps.length === 0) return undefined;
      const key = [...hosts].sort().join(' ');
      const [best] = sourceIps
        .filter((source) => isIP(source) === isIP(ip))
        .map((source) => ({ source, weight: weigh(key, source) }))
        .sort((a, b) => (a.weight < b.weight ? 1 : -1));
      return best?.source ?? null;
    },
  };
};
