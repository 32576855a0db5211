/**
 * dns: from a name to the hosts that take its mail, to their addresses, and to the policies it publishes.
 *
 * What it is for: MX with null MX and implicit MX (RFC 5321 §5.1, RFC 7505), the addresses of an exchange, TXT, PTR,
 * and on top of them SPF, DMARC, TLS-RPT and MTA-STS as published. Each outcome stays what it was: "there is no such name",
 * "there is no such record" and "nobody could tell" are three findings, and the last never counts against a domain.
 *
 * What it refuses: `dns.lookup` (libuv's four threads, /etc/hosts, search lists), following delegations itself, checking
 * DNSSEC, falling back to an address when the MX question failed, connecting anywhere by itself but for an MTA-STS policy
 * file. `requestGuarded` is how it does that, and how a webhook is told: past the guard, at the address that was checked.
 *
 * Limits: 10 exchanges and 4 addresses each; 256 questions on the wire and 10,000 waiting; 64 MiB of remembered answers;
 * an answer lives 30 s to 1 h by its TTL (5 min where c-ares does not give it), a missing name or record 60 s,
 * a failure 5 s. CNAMEs are followed, and bounded, by the resolver that is asked (RFC 1034 §5.3.1).
 */
export { createDns, type DnsOptions } from './dns.ts';
export {
  type GuardedRequest,
  type RequestFault,
  type RequestOutcome,
  requestGuarded,
} from './guarded-request.ts';
export { lookupDmarc } from './policy/dmarc.ts';
export { lookupMtaSts } from './policy/mta-sts.ts';
export type { PolicyFileOptions } from './policy/policy-file.ts';
export { createPolicyFileMemory } from './policy/policy-file-memory.ts';
export { lookupSpf } from './policy/spf.ts';
export { lookupTlsRpt } from './policy/tls-rpt.ts';
export type * from './policy/types.ts';
export type * from './types.ts';
