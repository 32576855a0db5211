/**
 * How a chunk is run that its worker died with. Deaths are told from chunks that went back in order by `crashes`, which
 * the store counts. Twice may be chance, or another chunk's doing. From then on the chunk runs with no other beside it
 * and in waves, each written before the next begins: sixteen rows, then one. So a death points at ever fewer rows;
 * a row that was alone under way at two of them is not asked again, and its neighbours lose nothing.
 */
import type { Chunk } from './types.ts';

export type Pace = {
  /** Rows that are under way together at most. */
  readonly rowsAtOnce: number;
  /** Rows begun, ended and written before the next begin; null: a row begins when another ends. */
  readonly isInWaves: boolean;
  /** The first row settles unasked. */
  readonly isFirstGivenUp: boolean;
  /** All of them do. */
  readonly isAllGivenUp: boolean;
};

const crashesBeforeAlone = 2;
const crashesBeforeSingle = 3;
const waveRows = 16;
/** Deaths of a row that was alone under way. */
const singleDeaths = 2;
/** Twenty poisonous rows in one chunk are no accident of theirs: whatever kills its workers so often is given up whole. */
export const mostCrashes = 50;

/** Must nothing else run while it does? */
export const runsAlone = ({ crashes }: Pick<Chunk, 'crashes'>): boolean => crashes >= crashesBeforeAlone;

export const planPace = ({ crashes, attempt }: Chunk, rowsAtOnce: number): Pace => {
  const given = { isFirstGivenUp: false, isAllGivenUp: crashes >= mostCrashes };
  if (crashes < crashesBeforeAlone) return { ...given, rowsAtOnce, isInWaves: false };
  if (crashes < crashesBeforeSingle)
    return { ...given, rowsAtOnce: Math.min(waveRows, rowsAtOnce), isInWaves: true };
  return {
    ...given,
    rowsAtOnce: 1,
    isInWaves: true,
    // `attempt` is 1 again once a row has moved: then another one is first, and it was alone but once.
    isFirstGivenUp: crashes >= crashesBeforeSingle + singleDeaths && attempt >= singleDeaths,
  };
};
