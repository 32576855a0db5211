/** Who must show now and then that it lives. */
export type Beating = { beat(): void };

/**
 * One timer for all streams and sockets that have heartbeats: ten thousand of their own would cost a timer and a closure
 * each. Members stand in slots of a wheel, so that they do not all beat in the same moment.
 */
export type Heart = {
  /** It beats once a round from now on, first after a whole one, until it leaves. */
  join(member: Beating): void;
  leave(member: Beating): void;
  stop(): void;
};

const slots = 24;

/** @param everyMs of each member */
export const startHeart = (everyMs: number): Heart => {
  const wheel = Array.from({ length: slots }, () => new Set<Beating>());
  let at = 0;
  const timer = setInterval(() => {
    at = (at + 1) % slots;
    for (const member of wheel[at] ?? []) member.beat();
  }, everyMs / slots);
  // Who beats has a socket that keeps the process alive.
  timer.unref();
  return {
    join: (member) => void wheel[at]?.add(member),
    leave: (member) => {
      for (const slot of wheel) if (slot.delete(member)) return;
    },
    stop: () => clearInterval(timer),
  };
};
