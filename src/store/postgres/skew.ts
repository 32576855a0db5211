/** How far the database's clock is from this process': learned whenever both are known, good for as long as none jumps. */

export type Skew = {
  /** @param theirs what the database said when it was `ours` here */
  learn(theirs: unknown, ours: Date): void;
  toOurs(theirs: Date): Date;
  toTheirs(ours: Date): Date;
};

export const createSkew = (): Skew => {
  let aheadMs = 0;
  return {
    learn(theirs, ours) {
      if (theirs instanceof Date) aheadMs = theirs.getTime() - ours.getTime();
    },
    toOurs: (theirs) => new Date(theirs.getTime() - aheadMs),
    toTheirs: (ours) => new Date(ours.getTime() + aheadMs),
  };
};
