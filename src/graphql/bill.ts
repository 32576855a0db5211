/** What one operation is charged, and what is left to whoever pays. */
export type Bill = {
  /** Points, as `planCost` tells them. */
  readonly requested: number;
  /** As it stood when the operation was charged; null where nothing is limited. */
  readonly bucket: {
    /** Points that it holds at most. */
    readonly capacity: number;
    readonly refillPerSecond: number;
    readonly left: number;
  } | null;
};

/** Milliseconds until a bucket is full again. */
export const refillMs = ({ capacity, refillPerSecond, left }: NonNullable<Bill['bucket']>): number =>
  Math.ceil(((capacity - left) / refillPerSecond) * 1_000);
