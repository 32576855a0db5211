/** What a lane may do at most: the settings, or our part of them where other processes work on the same exchanges. */
import type { BackOffOptions } from './back-off.ts';

export type LaneLimitOptions = {
  readonly maxSessionsPerExchange: number;
  /** 0: no limit. */
  readonly probesPerSecondPerExchange: number;
  readonly now: () => number;
};

export class LaneLimits implements BackOffOptions {
  readonly now: () => number;
  readonly #options: LaneLimitOptions;
  /** Sessions of the limit that are ours, none included; null: nobody shares it. */
  share: number | null = null;

  constructor(options: LaneLimitOptions) {
    this.#options = options;
    this.now = options.now;
  }

  get sessions(): number {
    const { maxSessionsPerExchange } = this.#options;
    return Math.min(maxSessionsPerExchange, this.share ?? maxSessionsPerExchange);
  }

  /** The same part of the rate as of the sessions; without any, nobody is asked, and it is that of one. */
  get probesPerSecond(): number {
    const { maxSessionsPerExchange, probesPerSecondPerExchange } = this.#options;
    const all = probesPerSecondPerExchange || Number.POSITIVE_INFINITY;
    return this.share === null ? all : (all * Math.max(1, this.sessions)) / maxSessionsPerExchange;
  }

  /** Tokens to begin with: the others may have used theirs a moment ago. Alone, a second's worth. */
  get firstTokens(): number {
    const { maxSessionsPerExchange } = this.#options;
    return this.sessions === maxSessionsPerExchange ? Number.POSITIVE_INFINITY : 1;
  }
}
