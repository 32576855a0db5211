/**
 * For how long a lane's exchanges greylist (RFC 6647 §2): who was put off, and when they let the same triplet pass.
 * Source address and reverse path of a lane are the same for one recipient, so the recipient stands for the triplet.
 *
 * The shortest delay after which somebody passed is what the next ones are told, since the real one is at most that;
 * it is forgotten when somebody who waited as long is put off again. Refuses to learn from those who came back late.
 */
import { FewMap } from './few.ts';
import { GREYLIST_LIFE_MS, MAX_GREYLIST_DELAY_MS, MAX_GREYLISTED_PER_LANE } from './limits.ts';
import type { Meaning, MeaningKind } from './meaning/index.ts';

/** What is said only of a mailbox that was looked up, so past the greylisting. */
const passes: ReadonlySet<MeaningKind> = new Set([
  'ACCEPTED',
  'MAILBOX_NOT_FOUND',
  'MAILBOX_DISABLED',
  'MAILBOX_FULL',
  'MAILBOX_BUSY',
]);

export class Greylist {
  readonly #now: () => number;
  readonly #tell: ((delayMs: number | null, until: number) => void) | null;
  /** When each was put off first; the oldest come first. */
  readonly #firstAt = new FewMap<string, number>();
  #delay: { readonly ms: number; readonly until: number } | null = null;

  /** @param tell is told of the delay that was learned here, and with null that it is forgotten */
  constructor(now: () => number, tell: ((delayMs: number | null, until: number) => void) | null = null) {
    this.#now = now;
    this.#tell = tell;
  }

  /** The delay that was learned; null when there is none. */
  get delayMs(): number | null {
    return this.#delay && this.#delay.until > this.#now() ? this.#delay.ms : null;
  }

  /** Takes over what another process with our source learned; what was learned here stays. */
  adopt(ms: number, until: number): void {
    if (this.delayMs === null) this.#delay = { ms, until };
  }

  /** @returns the meaning, with the learned delay where the server puts off and states none */
  learn(recipient: string, meaning: Meaning): Meaning {
    const firstAt = this.#firstAt.get(recipient);
    if (meaning.kind === 'GREYLISTED') return this.#putOff(recipient, firstAt ?? this.#now(), meaning);
    if (firstAt !== undefined && passes.has(meaning.kind)) {
      this.#firstAt.delete(recipient);
      this.#passed(this.#now() - firstAt);
    }
    return meaning;
  }

  #putOff(recipient: string, firstAt: number, meaning: Meaning): Meaning {
    const ageMs = this.#now() - firstAt;
    this.#note(recipient, firstAt);
    if (this.delayMs !== null && ageMs >= this.delayMs) {
      this.#delay = null;
      this.#tell?.(null, this.#now() + GREYLIST_LIFE_MS);
    }
    if (meaning.retryAfterSeconds !== null || this.delayMs === null) return meaning;
    return { ...meaning, retryAfterSeconds: Math.max(1, Math.ceil((this.delayMs - ageMs) / 1_000)) };
  }

  #note(recipient: string, firstAt: number): void {
    for (const [old, at] of this.#firstAt) {
      if (this.#now() - at < GREYLIST_LIFE_MS) break;
      this.#firstAt.delete(old);
    }
    if (this.#firstAt.size < MAX_GREYLISTED_PER_LANE) this.#firstAt.set(recipient, firstAt);
  }

  #passed(ms: number): void {
    if (ms > MAX_GREYLIST_DELAY_MS) return;
    const shortest = Math.min(ms, this.delayMs ?? ms);
    const until = this.#now() + GREYLIST_LIFE_MS;
    this.#delay = { ms: shortest, until };
    this.#tell?.(shortest, until);
  }
}
