/**
 * Answers as they are remembered, and questions that are out: equal ones are asked once. An asker that goes away
 * leaves the others alone; the question is taken back when nobody waits for it any more.
 */
import { LRUCache } from 'lru-cache';

export type Memory<Answer> = {
  /**
   * The remembered answer, or that of the one question that is out, or else `ask`'s. The signal that `ask` gets fires
   * when its last asker has gone; this asker's own gives `aborted` to it alone. Rejects when `ask` does. What is
   * remembered comes at once: a list asks for one domain a thousand times.
   */
  recall(
    key: string,
    ask: (signal: AbortSignal) => Promise<Answer>,
    signal: AbortSignal,
  ): Answer | Promise<Answer>;
  /** Takes back what is out and refuses what comes: everybody gets `aborted`. */
  close(): void;
};

export type MemoryOptions<Answer> = {
  /** 0: not remembered. */
  readonly lifeSecondsOf: (answer: Answer) => number;
  /** Rough size of an answer; a ceiling on the number alone would not keep huge ones from filling memory. */
  readonly octetsOf: (answer: Answer) => number;
  readonly aborted: Answer;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly maxEntries: number;
  readonly maxOctets: number;
};

type Flight<Answer> = {
  readonly answer: Promise<Answer>;
  readonly control: AbortController;
  askers: number;
};

/** What an entry weighs beside its answer, so that many small ones count too. */
const ENTRY_OCTETS = 200;

export const createMemory = <Answer extends object>(options: MemoryOptions<Answer>): Memory<Answer> => {
  const answers = new LRUCache<string, Answer>({
    max: options.maxEntries,
    maxSize: options.maxOctets,
    sizeCalculation: (answer, key) => ENTRY_OCTETS + 2 * key.length + options.octetsOf(answer),
    // lru-cache takes a start of exactly 0 for "lives for ever".
    perf: { now: () => 1 + options.now() },
    // Zero: compare with the clock on each look, not with a copy of it refreshed by a timer.
    ttlResolution: 0,
  });
  const flights = new Map<string, Flight<Answer>>();
  let isClosed = false;

  /** Only this flight: after an abort another one for the same question may be out already. */
  const land = (key: string, flight: Flight<Answer>) => {
    if (flights.get(key) === flight) flights.delete(key);
  };

  const depart = (key: string, ask: (signal: AbortSignal) => Promise<Answer>): Flight<Answer> => {
    const control = new AbortController();
    const answer = ask(control.signal)
      .then((received) => {
        const ttl = options.lifeSecondsOf(received) * 1_000;
        if (ttl > 0) answers.set(key, received, { ttl });
        return received;
      })
      .finally(() => land(key, flight));
    const flight: Flight<Answer> = { answer, control, askers: 0 };
    flights.set(key, flight);
    return flight;
  };

  const join = (key: string, flight: Flight<Answer>, signal: AbortSignal): Promise<Answer> =>
    new Promise((resolve, reject) => {
      flight.askers += 1;
      const leave = () => {
        flight.askers -= 1;
        if (flight.askers === 0) {
          land(key, flight);
          flight.control.abort();
        }
        resolve(options.aborted);
      };
      signal.addEventListener('abort', leave, { once: true });
      flight.answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
    });

  return {
    recall(key, ask, signal) {
      if (signal.aborted || isClosed) return options.aborted;
      return answers.get(key) ?? join(key, flights.get(key) ?? depart(key, ask), signal);
    },
    close() {
      isClosed = true;
      for (const { control } of flights.values()) control.abort();
      flights.clear();
      answers.clear();
    },
  };
};
