/**
 * Whether PIPELINING is used in one session, and whether it is what the server says it is.
 *
 * Some servers answer the beginning of a pipelined write and lose the rest of it. A lane therefore believes no longer
 * write than it has seen answered to the end: when replies to a longer one stop half-way, another session asks one
 * command at a time. Just as silent then, the server is slow and no liar.
 */
import type { Asks } from './asks.ts';
import type { LaneMemory } from './lane-memory.ts';
import type { Capabilities } from './protocol/index.ts';
import type { Ask } from './receipts.ts';
import type { Tally } from './tally.ts';

export type PipeliningOptions = {
  readonly session: { readonly capabilities: Capabilities };
  readonly memory: LaneMemory;
  readonly asks: Asks;
  readonly tally: Tally;
  readonly pipelineMs: number;
  /** Replies stopped half-way: whoever is out now is to be asked in another session. */
  readonly onLost: () => void;
};

/**
 * Once recipients are answered, the server reads on, and more patience is due: Exchange stalls for 5 s before each
 * refusal, which is past `pipelineMs` and within this.
 */
const PATIENCE_ONCE_ANSWERED = 1.5;

export class Pipelining {
  readonly #options: PipeliningOptions;
  /** The last recipient of the last write, and how many were out with it. */
  #last: Ask | null = null;
  #depth = 0;
  #writtenAt = 0;
  #isAnswered = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PipeliningOptions) {
    this.#options = options;
  }

  /** Offered, and not known to lose commands. */
  get isUsed(): boolean {
    const { session, memory } = this.#options;
    return session.capabilities.offersPipelining && memory.pipelineDepth !== 0;
  }

  /** Recipients went out in one write, `last` behind the others. */
  written(last: Ask): void {
    if (!this.isUsed) return;
    this.#last = last;
    this.#depth = this.#options.asks.inFlight.size;
    this.#writtenAt = performance.now();
    this.#isAnswered = false;
    if (!this.#isProven) this.#lookIn(this.#options.pipelineMs);
  }

  /** To be called before the silence that this reply to RCPT TO ended is forgotten. */
  answered(ask: Ask): void {
    const { session, memory, tally, pipelineMs } = this.#options;
    this.#isAnswered = true;
    if (this.isUsed) {
      if (ask !== this.#last) return;
      this.stop();
      if (!this.#isProven) memory.learnPipelineDepth(this.#depth);
    } else if (session.capabilities.offersPipelining && tally.silentMs > pipelineMs / 2)
      memory.learnPipelineDepth(Number.POSITIVE_INFINITY);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  get #isProven(): boolean {
    return this.#depth <= (this.#options.memory.pipelineDepth ?? 0);
  }

  #lookIn(ms: number): void {
    this.stop();
    this.#timer = setTimeout(() => this.#look(), ms);
  }

  #look(): void {
    const { memory, asks, tally, pipelineMs, onLost } = this.#options;
    if (asks.inFlight.size === 0 || this.#isProven || !this.isUsed) return;
    const patienceMs = this.#isAnswered ? pipelineMs * PATIENCE_ONCE_ANSWERED : pipelineMs;
    const leftMs = patienceMs - tally.silentMs;
    // Not a word since it was written: that is silence as such, and has deadlines of its own.
    if (tally.lastReplyAt < this.#writtenAt || leftMs > 0) {
      this.#lookIn(leftMs > 0 ? leftMs : pipelineMs);
      return;
    }
    memory.learnPipelineDepth(0);
    onLost();
  }
}
