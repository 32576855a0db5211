/** The fuzzer itself: that it finds what is wrong, tells how to find it again, and makes the same streams each time. */
import { describe, expect, it } from 'vitest';
import { runFuzz, shrink } from './fuzz.ts';
import { createRandom } from './random.ts';
import { makeBentDialogue, makeLateNoise, makeNoise, split } from './streams.ts';

describe('runFuzz', () => {
  it('tells the seed and the smallest input of a failure', () => {
    const check = (octets: Uint8Array): void => {
      if (octets.includes(0x5a) && octets.includes(0x00)) throw new Error('both are there');
    };
    const run = () =>
      runFuzz({ seed: 1, octets: 1_000_000, make: (random) => makeNoise(random, 2_000), check });
    expect(run).toThrow(/^seed \d+, 2 of \d+ octets: "(\\u0000Z|Z\\u0000)": both are there$/);
  });

  it('goes on until the octets are through', () => {
    let seen = 0;
    const inputs = runFuzz({
      seed: 1,
      octets: 50_000,
      make: makeBentDialogue,
      check: (octets) => {
        seen += octets.length;
      },
    });
    expect(seen).toBeGreaterThanOrEqual(50_000);
    expect(inputs).toBeGreaterThan(3);
  });
});

it('shrink leaves what cannot be taken away', () => {
  const holds = (octets: Uint8Array) =>
    Buffer.from(octets).toString().replaceAll(/[^ab]/g, '').includes('ab');
  expect(Buffer.from(shrink(Buffer.from('xxaxxxxbxxx'), holds)).toString()).toBe('ab');
});

it.each([makeBentDialogue, makeLateNoise])('the same seed gives the same stream, cut alike: %o', (make) => {
  for (let seed = 0; seed < 50; seed += 1) {
    const octets = make(createRandom(seed));
    expect(make(createRandom(seed))).toEqual(octets);
    const pieces = split(octets, createRandom(seed));
    expect(Buffer.concat(pieces)).toEqual(Buffer.from(octets));
    expect(split(octets, createRandom(seed))).toEqual(pieces);
  }
});
