/**
 * One question over the wire, through c-ares, until a server answers or none will.
 *
 * Each try has a Resolver of its own, with one server and one try. A shared Resolver can only cancel everything that
 * it asks, shortens its patience by the latency of other names, and never goes on to the second server after a
 * SERVFAIL (measured on Node 26.10, c-ares 1.34.8: after 20 fast answers it gave a silent name up after 3 s, not 6 s).
 * A fresh one costs 110 µs a question against 40 µs, and draws a new source port each time (RFC 5452 §9.2). So
 * rounds, failover and the memory of which server lives are ours; and so is the clock, since c-ares's timeouts
 * come up to one tick late (nodejs/node#65340: 600 ms for a timeout of 300).
 */
import { Resolver } from 'node:dns/promises';
import type { DnsFailure } from './types.ts';

export type QuestionType = 'MX' | 'A' | 'AAAA' | 'TXT' | 'PTR';

type Question = { readonly type: QuestionType; readonly name: string };

/** An MX record keeps its preference; all others are text. `null` TTL: c-ares does not tell it for this type. */
export type DnsRecord = { readonly text: string; readonly preference: number };

export type DnsAnswer =
  | { readonly kind: 'records'; readonly records: readonly DnsRecord[]; readonly ttlSeconds: number | null }
  | { readonly kind: 'nodata' }
  | { readonly kind: 'nxdomain' }
  | { readonly kind: 'failure'; readonly failure: DnsFailure };

export type Wire = {
  /** Never rejects for what a server did. An abort ends the try that is out and is answered with ABORTED. */
  ask(question: Question, signal: AbortSignal): Promise<DnsAnswer>;
  readonly queriesSent: number;
};

export type WireOptions = {
  /** Asked for each question, so that a changed resolv.conf is noticed. */
  readonly readServers: () => readonly string[];
  /** Milliseconds that one try waits for one server. */
  readonly queryTimeoutMs: number;
  /** Rounds over the servers. Only those that were silent are asked again. */
  readonly tries: number;
};

/** More servers than this are left out: with each silent, a question would outlast everybody who asks it. */
const SERVER_CEILING = 3;

export const createWire = (options: WireOptions): Wire => {
  let queriesSent = 0;
  /** The server that answered last, asked first: a dead one ahead of it in the list costs one timeout, not one a question. */
  let preferred = '';

  const askOnce = async (question: Question, server: string, signal: AbortSignal): Promise<DnsAnswer> => {
    const resolver = new Resolver({
      timeout: options.queryTimeoutMs,
      maxTimeout: options.queryTimeoutMs,
      tries: 1,
    });
    resolver.setServers([server]);
    const cancel = () => resolver.cancel();
    const timer = setTimeout(cancel, options.queryTimeoutMs);
    signal.addEventListener('abort', cancel, { once: true });
    queriesSent += 1;
    try {
      return await resolve(resolver, question);
    } catch (error) {
      return signal.aborted ? { kind: 'failure', failure: 'ABORTED' } : classifyError(error);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
    }
  };

  return {
    get queriesSent() {
      return queriesSent;
    },
    async ask(question, signal) {
      const servers = options.readServers();
      let left = [
        ...servers.filter((server) => server === preferred),
        ...servers.filter((server) => server !== preferred),
      ].slice(0, SERVER_CEILING);
      let failure: DnsFailure = 'NO_RESOLVER';
      for (let round = 1; round <= options.tries && left.length > 0; round += 1) {
        const silent: string[] = [];
        for (const server of left) {
          if (signal.aborted) return { kind: 'failure', failure: 'ABORTED' };
          const answer = await askOnce(question, server, signal);
          if (answer.kind !== 'failure') {
            preferred = server;
            return answer;
          }
          if (answer.failure === 'ABORTED') return answer;
          failure = moreTelling(failure, answer.failure);
          if (answer.failure === 'TIMEOUT') silent.push(server);
          if (answer.failure === 'TIMEOUT' || answer.failure === 'NO_RESOLVER') {
            if (preferred === server) preferred = '';
          }
        }
        left = silent;
      }
      return { kind: 'failure', failure };
    },
  };
};

/** When servers fail differently, the one that says most about the zone is told. */
const TELLING: readonly DnsFailure[] = ['SERVFAIL', 'BAD_ANSWER', 'REFUSED', 'TIMEOUT', 'NO_RESOLVER'];

/** Of two failures of one question, the more telling one. */
export const moreTelling = (one: DnsFailure, other: DnsFailure): DnsFailure =>
  TELLING.find((failure) => failure === one || failure === other) ?? one;

const resolve = async (resolver: Resolver, { type, name }: Question): Promise<DnsAnswer> => {
  switch (type) {
    case 'A':
    case 'AAAA': {
      const found = await (type === 'A'
        ? resolver.resolve4(name, { ttl: true })
        : resolver.resolve6(name, { ttl: true }));
      return records(
        found.map(({ address }) => address),
        Math.min(...found.map(({ ttl }) => ttl)),
      );
    }
    case 'MX': {
      const found = await resolver.resolveMx(name);
      if (found.length === 0) return { kind: 'nodata' };
      return {
        kind: 'records',
        records: found.map(({ exchange, priority }) => ({ text: exchange, preference: priority })),
        ttlSeconds: null,
      };
    }
    case 'TXT': {
      const found = await resolver.resolveTxt(name);
      // Node reads the octets as Latin-1; what is published there, where it is not ASCII, is UTF-8.
      return records(found.map((strings) => Buffer.from(strings.join(''), 'latin1').toString()));
    }
    case 'PTR':
      return records(await resolver.resolvePtr(name));
  }
};

/** An empty list is a CNAME with nothing of the type behind it: c-ares calls that a success. */
const records = (texts: readonly string[], ttlSeconds: number | null = null): DnsAnswer =>
  texts.length === 0
    ? { kind: 'nodata' }
    : { kind: 'records', records: texts.map((text) => ({ text, preference: 0 })), ttlSeconds };

/** c-ares's word for what happened, in ours. What is not listed is our own trouble: no socket, no memory, no server. */
const classifyError = (error: unknown): DnsAnswer => {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  switch (code) {
    case 'ENOTFOUND':
    // A name that cannot be put on the wire cannot exist either.
    case 'EBADNAME':
      return { kind: 'nxdomain' };
    case 'ENODATA':
      return { kind: 'nodata' };
    case 'ESERVFAIL':
      return { kind: 'failure', failure: 'SERVFAIL' };
    case 'ETIMEOUT':
    case 'ECANCELLED':
      return { kind: 'failure', failure: 'TIMEOUT' };
    case 'EREFUSED':
    case 'ENOTIMP':
      return { kind: 'failure', failure: 'REFUSED' };
    case 'EFORMERR':
    case 'EBADRESP':
    case 'EOF':
      return { kind: 'failure', failure: 'BAD_ANSWER' };
    default:
      if (code === null) throw error;
      return { kind: 'failure', failure: 'NO_RESOLVER' };
  }
};
