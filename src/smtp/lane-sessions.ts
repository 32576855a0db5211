/**
 * The sessions of one lane: being opened, at work, and those that said QUIT and whose connection is not gone yet, which
 * to the exchange are sessions still. It counts, and knows which to give up; why is the lane's.
 */
import type { SessionOpening } from './connect.ts';
import type { Conversation } from './conversation.ts';
import { FewSet } from './few.ts';
import type { Ask } from './receipts.ts';

export class LaneSessions {
  readonly atWork = new FewSet<Conversation>();
  readonly openings = new FewSet<SessionOpening<Ask>>();
  #leaving = 0;

  get count(): number {
    return this.held + this.#leaving;
  }

  /** Without those that are leaving. */
  get held(): number {
    return this.atWork.size + this.openings.size;
  }

  /** Those that may be expected to serve who waits. */
  get promising(): number {
    return this.openings.size + [...this.atWork].filter(({ isBrisk }) => isBrisk).length;
  }

  /** Counts until the connection is gone; then `gone` is called. */
  letGo(closed: Promise<void>, gone: () => void): void {
    this.#leaving++;
    void closed.then(() => {
      this.#leaving--;
      gone();
    });
  }

  /** Leaves one that nobody needs; false when there is none. */
  closeOneIdle(): boolean {
    const idle = [...this.atWork].find(({ isIdle }) => isIdle);
    idle?.leave();
    return idle !== undefined;
  }

  /** Those past `most` are left as soon as they are quiet, idle ones first. */
  shed(most: number): void {
    if (this.held <= most) return;
    const staying = [...this.atWork].filter(({ isRetiring }) => !isRetiring);
    const excess = staying.length + this.openings.size - most;
    staying.sort((a, b) => Number(b.isIdle) - Number(a.isIdle));
    for (const conversation of staying.slice(0, Math.max(0, excess))) conversation.retire();
  }

  abortOpenings(): void {
    for (const opening of this.openings) opening.abort();
  }
}
