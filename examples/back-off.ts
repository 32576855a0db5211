/** Waits longer after each failure, and never as long as the neighbour: a gateway that comes back is not asked by all at once. */
export const backOff = (retries: number, leastMs = 0): Promise<void> =>
  new Promise((resolve) =>
    setTimeout(resolve, leastMs + Math.random() * Math.min(30_000, 250 * 2 ** retries)),
  );
