/** The real resolver against the sandbox's real name server, on loopback; a clock that only tests move. */
import { afterEach } from 'vitest';
import { createDns, type Dns, type DnsOptions } from '../../src/dns/index.ts';
import {
  type DnsQuestion,
  type DnsServer,
  startDnsServer,
  type ZoneAnswer,
  type Zones,
} from '../../src/sandbox/dns-server.ts';

export { domain, host } from './names.ts';

/** Of an asker that waits for as long as it takes. */
export const patient = new AbortController().signal;

export type World = { readonly dns: Dns; readonly server: DnsServer; passSeconds(seconds: number): void };

const open: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** Short tries where silence is the point; long ones elsewhere, so that a busy machine is not taken for a silent server. */
export const patienceFor = (entry: ZoneAnswer | undefined): Partial<DnsOptions> => ({
  queryTimeoutMs: JSON.stringify(entry ?? {}).includes('SILENCE') ? 200 : 10_000,
});

/** Closed after the test. */
export const openWorld = async (
  zones: Zones | ((question: DnsQuestion) => ZoneAnswer),
  options: Partial<DnsOptions> = {},
): Promise<World> => {
  const server = await startDnsServer({ zones });
  let nowMs = 1_000;
  const dns = createDns({
    servers: [server.address],
    queryTimeoutMs: 10_000,
    now: () => nowMs,
    ...options,
  });
  open.push(
    () => dns.close(),
    () => server.close(),
  );
  return {
    dns,
    server,
    passSeconds: (seconds) => {
      nowMs += seconds * 1_000;
    },
  };
};

/** `MX a.test` … as the server heard them. */
export const questionsOf = (server: DnsServer): string[] =>
  server.log.map(({ type, name }) => `${type} ${name}`);
