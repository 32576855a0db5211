/** Asks, leaves one question out, closes: this process must then end by itself. */
import { createDns } from '../../src/dns/index.ts';
import { startDnsServer } from '../../src/sandbox/dns-server.ts';
import { domain } from './names.ts';

const server = await startDnsServer({
  zones: { 'good.test': { a: ['192.0.2.1'] }, 'silent.test': { behaviour: 'SILENCE' } },
});
const dns = createDns({ servers: [server.address], queryTimeoutMs: 600_000 });
const { signal } = new AbortController();
await dns.lookupMailHosts(domain('good.test'), signal);
const silent = dns.lookupMailHosts(domain('silent.test'), signal);
while (!server.log.some(({ name }) => name === 'silent.test')) await new Promise(setImmediate);
dns.close();
await silent;
await server.close();
process.disconnect?.();
