/**
 * How many different things were seen, in bounded memory: exact up to `most`, from then on estimated within a few
 * percent. What is kept is a sample: hashes that end in `level` zero bits, a level more whenever they would be too many
 * (adaptive sampling: Flajolet, "On adaptive sampling", Computing 43, 1990).
 */
export type Distinct = {
  readonly most: number;
  readonly kept: Set<number>;
  level: number;
};

/** @param most hashes kept, at least 2 */
export const createDistinct = (most: number): Distinct => ({ most, kept: new Set(), level: 0 });

const isOfLevel = (hash: number, level: number): boolean => (hash & ((1 << level) - 1)) === 0;

/** @param hash 32 bits, each as likely to be 0 as 1 */
export const addDistinct = (distinct: Distinct, hash: number): void => {
  const { most, kept } = distinct;
  if (!isOfLevel(hash, distinct.level)) return;
  kept.add(hash);
  while (kept.size > most) {
    distinct.level += 1;
    for (const one of kept) if (!isOfLevel(one, distinct.level)) kept.delete(one);
  }
};

export const countDistinct = ({ kept, level }: Distinct): number => kept.size * 2 ** level;

export const clearDistinct = (distinct: Distinct): void => {
  distinct.kept.clear();
  distinct.level = 0;
};
