/** What keys need to survive and to share, as ports that `store` implements; `test/store/` holds every implementation to the same suites. */
import type { KeptKey, KeyUse } from './types.ts';

/** Methods reject with the store's own error when it cannot be reached or written; then nothing happened. */
export type KeyStore = {
  /**
   * Grows with every key that is made or revoked, by whichever process: a gateway asks every second and reads the keys
   * only when it has grown. Last uses do not count.
   */
  readVersion(): Promise<number>;
  /** All that there ever were, oldest first, revoked and expired ones too. */
  readKeys(): Promise<readonly KeptKey[]>;
  createKey(key: KeptKey): Promise<void>;
  /** False when there is no such key; one that was revoked before keeps its time. */
  revokeKey(id: string, at: Date): Promise<boolean>;
  /** Notes when keys were used last; an older time than the one that is kept changes nothing. */
  noteUses(uses: readonly KeyUse[]): Promise<void>;
};

/** What somebody wants to take out of a bucket. */
export type Draught = {
  /** What must be there, and is then taken. */
  readonly points: number;
  /** What was taken before and was not needed: given back first, whether or not the points are there. */
  readonly unused: number;
  /** The most that it holds; it is full when it is used for the first time. */
  readonly capacity: number;
  readonly refillPerSecond: number;
};

export type BucketLevel = {
  readonly isTaken: boolean;
  /** What is left now, at least 0; fractions are points too. */
  readonly left: number;
};

/** Token buckets by name. Who shares a store shares them, and its clock fills them. */
export type BucketStore = {
  draw(name: string, draught: Draught): Promise<BucketLevel>;
};
