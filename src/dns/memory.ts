/**
 * Answers as they are remembered, and questions that are out: equal ones are asked once. An asker that goes away
 * leaves the others alone; the question is taken back when nobody waits for it any more.
 */
import { LRUCache } from 'lru-cache';
import type { DnsAnswer, Question } from './wire.ts';

export type Memory = {
  /** The remembered answer, or that of the one question that is out. ABORTED when this asker's signal fires. */
  ask(question: Question, signal: AbortSignal): Promise<DnsAnswer>;
  /** Takes back what is out and refuses what comes: everybody gets ABORTED. */
  close(): void;
};

export type MemoryOptions = {
  readonly ask: (question: Question, signal: AbortSignal) => Promise<DnsAnswer>;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly maxEntries: number;
  readonly maxOctets: number;
};

/**
 * Seconds that answers live. The floor keeps a bulk list of one domain with TTL 0 from asking for each address;
 * the ceiling is what a moved exchange costs at most, since shortening a TTL is always allowed (RFC 2181 §8).
 */
const TTL_FLOOR_SECONDS = 30;
const TTL_CEILING_SECONDS = 3_600;
/** c-ares tells no TTL for MX, TXT and PTR: the low end of what zones publish for them. */
const UNTOLD_TTL_SECONDS = 300;
/** c-ares tells no SOA either: short, because a domain that was just set up is asked about by its owner. */
const NEGATIVE_TTL_SECONDS = 60;
/** RFC 9520 §3.2: remember a failure for 1 s at least and 5 min at most; the retry of a person must not meet it. */
const FAILURE_TTL_SECONDS = 5;
/** Rough size of an entry beside its text, so that many small answers count too. */
const ENTRY_OCTETS = 200;

type Flight = { readonly answer: Promise<DnsAnswer>; readonly control: AbortController; askers: number };

const ABORTED: DnsAnswer = { kind: 'failure', failure: 'ABORTED' };

export const createMemory = (options: MemoryOptions): Memory => {
  const answers = new LRUCache<string, DnsAnswer>({
    max: options.maxEntries,
    maxSize: options.maxOctets,
    sizeCalculation: octetsOf,
    perf: { now: options.now },
    // Zero: compare with the clock on each look, not with a copy of it refreshed by a timer.
    ttlResolution: 0,
  });
  const flights = new Map<string, Flight>();
  let isClosed = false;

  /** Only this flight: after an abort another one for the same question may be out already. */
  const land = (key: string, flight: Flight) => {
    if (flights.get(key) === flight) flights.delete(key);
  };

  const depart = (key: string, question: Question): Flight => {
    const control = new AbortController();
    const answer = options
      .ask(question, control.signal)
      .then((received) => {
        const ttl = lifeSeconds(received) * 1_000;
        if (!control.signal.aborted && ttl > 0) answers.set(key, received, { ttl });
        return received;
      })
      .finally(() => land(key, flight));
    const flight: Flight = { answer, control, askers: 0 };
    flights.set(key, flight);
    return flight;
  };

  const join = (key: string, flight: Flight, signal: AbortSignal): Promise<DnsAnswer> =>
    new Promise((resolve, reject) => {
      flight.askers += 1;
      const leave = () => {
        flight.askers -= 1;
        if (flight.askers === 0) {
          land(key, flight);
          flight.control.abort();
        }
        resolve(ABORTED);
      };
      signal.addEventListener('abort', leave, { once: true });
      flight.answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
    });

  return {
    async ask(question, signal) {
      if (signal.aborted || isClosed) return ABORTED;
      const key = `${question.type} ${question.name}`;
      return answers.get(key) ?? join(key, flights.get(key) ?? depart(key, question), signal);
    },
    close() {
      isClosed = true;
      for (const { control } of flights.values()) control.abort();
      flights.clear();
      answers.clear();
    },
  };
};

const lifeSeconds = (answer: DnsAnswer): number => {
  switch (answer.kind) {
    case 'records':
      return answer.ttlSeconds === null
        ? UNTOLD_TTL_SECONDS
        : Math.min(TTL_CEILING_SECONDS, Math.max(TTL_FLOOR_SECONDS, answer.ttlSeconds));
    case 'nodata':
    case 'nxdomain':
      return NEGATIVE_TTL_SECONDS;
    case 'failure':
      // Our own ceiling and an asker's impatience say nothing about the question.
      return answer.failure === 'ABORTED' || answer.failure === 'OVERLOADED' ? 0 : FAILURE_TTL_SECONDS;
  }
};

const octetsOf = (answer: DnsAnswer, key: string): number =>
  ENTRY_OCTETS +
  key.length +
  (answer.kind === 'records' ? answer.records.reduce((sum, { text }) => sum + 2 * text.length + 50, 0) : 0);
