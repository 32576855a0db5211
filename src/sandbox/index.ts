/**
 * A mail internet in a box: a name server and mail servers with personalities, all on loopback, so that everything
 * can be tried and tested where port 25 is closed and where no server should be bothered. What is asked is asked over
 * real UDP and TCP, by the same code that asks the real internet.
 *
 * A personality is a row of a table (`personalities/`): a domain under `.test` (RFC 6761 §6.2), how its server
 * behaves, and the verdict that must come of it. Well-behaved ones run on the npm package `smtp-server`, ill-behaved
 * ones and those for large lists on a scripted engine of ours. Every mail server listens on the same port, each at an
 * address of its own in 127.26.0.0/16. That range, and `::1` where there is IPv6, is all that `allowHosts` exempts from
 * the guard: a domain whose MX leads to 127.0.0.1 stays unroutable.
 *
 * Refuses to listen anywhere but on loopback, to take a message, and to be trusted (its TLS key is published).
 * Limits: Linux, or another system whose loopback has all of 127.0.0.0/8; 20,000 lines of log; 20,000 connections a
 * server; `close` waits for nobody.
 */
export { countExamples, exampleList } from './example-list.ts';
export { printExamples } from './print-examples.ts';
export { startSandbox } from './sandbox.ts';
export type * from './types.ts';
