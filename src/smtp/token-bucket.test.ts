import { describe, expect, it } from 'vitest';
import { createTokenBucket } from './token-bucket.ts';

describe('createTokenBucket', () => {
  it('has no limit at Infinity, whenever it is looked at', () => {
    const bucket = createTokenBucket(
      () => Number.POSITIVE_INFINITY,
      () => 0,
    );
    bucket.take(1_000_000);
    expect(bucket.available()).toBe(Number.POSITIVE_INFINITY);
    expect(bucket.waitMs()).toBe(0);
  });

  it('starts with a second of tokens and refills steadily', () => {
    let now = 0;
    const bucket = createTokenBucket(
      () => 20,
      () => now,
    );
    bucket.take(20);
    expect(bucket.available()).toBe(0);
    expect(bucket.waitMs()).toBe(50);
    now = 50;
    expect(bucket.available()).toBe(1);
    now = 60_000;
    expect(bucket.available()).toBe(20);
  });

  it('pays a debt back before it gives again', () => {
    let now = 0;
    const bucket = createTokenBucket(
      () => 1,
      () => now,
    );
    bucket.take(3);
    expect(bucket.waitMs()).toBe(3_000);
    now = 2_999;
    expect(bucket.available()).toBe(0);
    now = 3_000;
    expect(bucket.available()).toBe(1);
  });

  it('gives at its new rate once that changed, and keeps no more than a second of it', () => {
    let now = 0;
    let rate = Number.POSITIVE_INFINITY;
    const bucket = createTokenBucket(
      () => rate,
      () => now,
    );
    bucket.take(1_000);
    rate = 10;
    expect(bucket.available()).toBe(10);
    rate = 0.5;
    expect(bucket.available()).toBe(1);
    bucket.take(1);
    expect(bucket.waitMs()).toBe(2_000);
    now = 2_000;
    expect(bucket.available()).toBe(1);
    now = 60_000;
    expect(bucket.available()).toBe(1);
  });

  it('never gives more than its rate over any stretch of time', () => {
    let now = 0;
    const bucket = createTokenBucket(
      () => 7,
      () => now,
    );
    let taken = 0;
    for (; now < 10_000; now += 3) for (; bucket.available() >= 1; taken++) bucket.take(1);
    expect(taken).toBeGreaterThanOrEqual(76);
    expect(taken).toBeLessThanOrEqual(77);
  });
});
