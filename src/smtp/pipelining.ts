/**
 * Whether PIPELINING is used in one session, and whether it is what the server says it is.
 *
 * A first pipelined write that is answered in part and then by silence may have lost the rest: another session asks
 * one command at a time. Just as silent then, it is slow and no liar.
 */
import type { LaneMemory } from './lane-memory.ts';
import type { Capabilities } from './protocol/index.ts';
import type { Tally } from './tally.ts';

export type PipeliningOptions = {
  readonly session: { readonly capabilities: Capabilities };
  readonly memory: LaneMemory;
  readonly tally: Tally;
  readonly pipelineMs: number;
};

export class Pipelining {
  readonly #options: PipeliningOptions;
  #doubtTimer: NodeJS.Timeout | undefined;

  constructor(options: PipeliningOptions) {
    this.#options = options;
  }

  /** Offered, and not known to lose commands. */
  get isUsed(): boolean {
    const { session, memory } = this.#options;
    return session.capabilities.offersPipelining && memory.hasHonestPipelining !== false;
  }

  /** A pipelined write went out. `lost` is called when it is the first and was answered in part only. */
  written(isOutstanding: () => boolean, lost: () => void): void {
    const { memory, tally, pipelineMs } = this.#options;
    if (!this.isUsed || memory.hasHonestPipelining !== null) return;
    const writtenAt = performance.now();
    this.stop();
    this.#doubtTimer = setTimeout(() => {
      const isLost = isOutstanding() && tally.lastReplyAt > writtenAt;
      if (!isLost || memory.hasHonestPipelining !== null) return;
      memory.learnPipelining(false);
      lost();
    }, pipelineMs);
  }

  /** What the time that a reply to RCPT TO took says of PIPELINING. */
  answered(): void {
    const { session, memory, tally, pipelineMs } = this.#options;
    if (this.isUsed) {
      if (memory.hasHonestPipelining === null) memory.learnPipelining(true);
    } else if (session.capabilities.offersPipelining && tally.silentMs > pipelineMs / 2)
      memory.learnPipelining(true);
  }

  stop(): void {
    clearTimeout(this.#doubtTimer);
  }
}
