/** Numbers that look random and can be had again: mulberry32. The seed is printed, and can be set by TEST_SEED. */
export const createRandom = (about: string): (() => number) => {
  const seed = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000);
  process.stdout.write(`${about}: TEST_SEED=${seed}\n`);
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};
