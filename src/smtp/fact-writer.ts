/**
 * Tells other processes what was learned here: gathered for FACTS_GATHER_MS, only the newest of a kind, one write at a
 * time. A store that fails gets the same again after FACTS_PAUSE_MS, and what nobody believes any more is left out.
 */
import {
  FACTS_GATHER_MS,
  FACTS_PAUSE_MS,
  FACTS_WRITE_DEADLINE_MS,
  MAX_FACTS_AT_ONCE,
  MAX_FACTS_WAITING,
} from './limits.ts';
import type { Learned, SharedFacts } from './shared-facts.ts';
import { within } from './within.ts';

export type FactWriter = {
  note(subject: string, fact: Learned): void;
  /** Writes what waits, as far as FACTS_WRITE_DEADLINE_MS allows. Never rejects. */
  close(): Promise<void>;
};

export type FactWriterOptions = {
  readonly facts: Pick<SharedFacts, 'remember'>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
};

type Waiting = Learned & { readonly subject: string };

export const createFactWriter = ({ facts, now, onError }: FactWriterOptions): FactWriter => {
  const waiting = new Map<string, Waiting>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<boolean> | null = null;
  let isClosed = false;

  const nameOf = ({ subject, kind }: Waiting): string => `${subject} ${kind}`;

  const keep = (fact: Waiting): void => {
    const name = nameOf(fact);
    waiting.delete(name);
    waiting.set(name, fact);
    const [oldest] = waiting.keys();
    if (waiting.size > MAX_FACTS_WAITING && oldest !== undefined) waiting.delete(oldest);
  };

  const take = (): readonly Waiting[] => {
    const taken: Waiting[] = [];
    for (const [name, fact] of waiting) {
      if (taken.length >= MAX_FACTS_AT_ONCE) break;
      waiting.delete(name);
      if (fact.until > now()) taken.push(fact);
    }
    return taken;
  };

  /** False when the store failed; what was to be written then waits again, unless something newer does. */
  const write = async (): Promise<boolean> => {
    const taken = take();
    if (taken.length === 0) return true;
    try {
      const told = taken.map(({ subject, kind, value, until }) => ({
        subject,
        kind,
        value,
        lifeMs: until - now(),
      }));
      await within(FACTS_WRITE_DEADLINE_MS, facts.remember(told), 'facts were not written');
      return true;
    } catch (error) {
      onError(error);
      for (const fact of taken) if (!waiting.has(nameOf(fact))) keep(fact);
      return false;
    }
  };

  const writeIn = (ms: number): void => {
    if (timer || isClosed) return;
    timer = setTimeout(async () => {
      writing = write();
      const isWritten = await writing;
      writing = null;
      timer = undefined;
      if (waiting.size === 0) return;
      writeIn(!isWritten ? FACTS_PAUSE_MS : waiting.size >= MAX_FACTS_AT_ONCE ? 0 : FACTS_GATHER_MS);
    }, ms);
    timer.unref();
  };

  return {
    note(subject, fact) {
      if (isClosed) return;
      keep({ ...fact, subject });
      writeIn(FACTS_GATHER_MS);
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      const until = performance.now() + FACTS_WRITE_DEADLINE_MS;
      let isWritten = (await writing) ?? true;
      while (isWritten && waiting.size > 0 && performance.now() < until) isWritten = await write();
      waiting.clear();
    },
  };
};
