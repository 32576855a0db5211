import { describe, expect, it } from 'vitest';
import { planPace, runsAlone } from './pace.ts';

const chunkOf = (crashes: number, attempt: number) => ({
  id: 1,
  jobId: 'j',
  owner: null,
  ordinal: 1,
  lease: 'l',
  attempt,
  crashes,
  otherSources: 0,
  maxAgeSeconds: null,
  rows: [],
});

describe('planPace', () => {
  it.each<[crashes: number, attempt: number, alone: boolean, rows: number, waves: boolean, givenUp: boolean]>(
    [
      [0, 1, false, 128, false, false],
      // Went back in order ever so often: slow, and not deadly.
      [0, 30, false, 128, false, false],
      [1, 2, false, 128, false, false],
      [2, 3, true, 16, true, false],
      [3, 4, true, 1, true, false],
      [4, 5, true, 1, true, false],
      [5, 6, true, 1, true, true],
      // A row has moved since: the one that is first now was alone under way but once.
      [5, 1, true, 1, true, false],
      [6, 1, true, 1, true, false],
      [7, 2, true, 1, true, true],
    ],
  )('after %i deaths, at take %i since a row moved', (crashes, attempt, alone, rows, waves, givenUp) => {
    expect(runsAlone(chunkOf(crashes, attempt))).toBe(alone);
    expect(planPace(chunkOf(crashes, attempt), 128)).toEqual({
      rowsAtOnce: rows,
      isInWaves: waves,
      isFirstGivenUp: givenUp,
      isAllGivenUp: false,
    });
  });

  it('gives up whole what went on killing', () => {
    expect(planPace(chunkOf(49, 1), 128).isAllGivenUp).toBe(false);
    expect(planPace(chunkOf(50, 1), 128).isAllGivenUp).toBe(true);
  });

  it('never runs more rows at once than it may', () => {
    expect(planPace(chunkOf(2, 3), 4).rowsAtOnce).toBe(4);
  });
});
