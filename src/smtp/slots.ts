/** The number of sessions that all lanes and greetings draw on (RCPT_MAX_SESSIONS): first come, first served. */
import type { GreetingSlots, SlotWaiter } from './greeting.ts';

/** `take` is false when none is free; who asked is told when one is. */
export type SessionSlots = GreetingSlots & {
  /** Does anybody wait for one? */
  readonly isCrowded: boolean;
};

/** @param closeOneIdle somebody waits: a session that nobody needs is to be given back, if there is one */
export const createSlots = (most: number, closeOneIdle: () => void): SessionSlots => {
  let taken = 0;
  /** Lanes and greetings that found none, first come first served. */
  const waiting = new Set<SlotWaiter>();
  return {
    take(waiter) {
      if (taken < most) {
        taken++;
        waiting.delete(waiter);
        return true;
      }
      if (!waiting.has(waiter)) {
        waiting.add(waiter);
        closeOneIdle();
      }
      return false;
    },
    release() {
      taken--;
      for (const waiter of waiting) {
        waiting.delete(waiter);
        if (!waiter.wantsSession) continue;
        waiter.schedule();
        return;
      }
    },
    get isCrowded() {
      return waiting.size > 0;
    },
  };
};
