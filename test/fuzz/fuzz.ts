/** Runs a check over generated streams until so many octets went through it, and makes a failure small before it is told. */
import { createRandom, type Random } from './random.ts';

/** Inputs tried while a failing one is made smaller: it is for a person to read, not to be the very smallest. */
const SHRINK_TRIES = 2_000;

export type Fuzz = {
  readonly seed: number;
  readonly octets: number;
  readonly make: (random: Random) => Uint8Array;
  /** Throws when the input is handled wrongly. Whatever chance it needs comes from `random`, so that a run can be repeated. */
  readonly check: (octets: Uint8Array, random: Random) => void;
};

/**
 * Inputs that were checked.
 * @throws with the seed and the smallest failing input that was found
 */
export const runFuzz = ({ seed, octets, make, check }: Fuzz): number => {
  let inputs = 0;
  for (let done = 0; done < octets; inputs += 1) {
    const own = seed + inputs;
    const input = make(createRandom(own));
    done += input.length;
    const fails = (candidate: Uint8Array): Error | null => {
      try {
        check(candidate, createRandom(~own));
        return null;
      } catch (error) {
        return error instanceof Error ? error : new Error(String(error));
      }
    };
    const failure = fails(input);
    if (failure === null) continue;
    const smallest = shrink(input, (candidate) => fails(candidate) !== null);
    throw new Error(
      `seed ${own}, ${smallest.length} of ${input.length} octets: ${JSON.stringify(Buffer.from(smallest).toString('latin1'))}: ${fails(smallest)?.message}`,
      { cause: failure },
    );
  }
  return inputs;
};

/** Takes away halves, quarters … single octets for as long as it still fails. */
export const shrink = (input: Uint8Array, fails: (candidate: Uint8Array) => boolean): Uint8Array => {
  let smallest = input;
  let tries = 0;
  for (let size = Math.ceil(input.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < smallest.length && tries < SHRINK_TRIES; tries += 1) {
      const candidate = Buffer.concat([smallest.subarray(0, start), smallest.subarray(start + size)]);
      if (fails(candidate)) smallest = candidate;
      else start += size;
    }
  }
  return smallest;
};
