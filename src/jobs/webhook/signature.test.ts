import { describe, expect, it } from 'vitest';
import { readSecret, signAttempt } from './signature.ts';

const printSecret = (octets: number): string => `whsec_${Buffer.alloc(octets, 'rcpt').toString('base64')}`;

describe('readSecret', () => {
  it.each([24, 25, 26, 32, 63, 64])('reads %i octets, padded or not', (octets) => {
    const secret = printSecret(octets);
    expect(readSecret(secret)).toEqual(Buffer.alloc(octets, 'rcpt'));
    expect(readSecret(secret.replace(/=+$/, ''))).toEqual(Buffer.alloc(octets, 'rcpt'));
  });

  it.each([
    ['nothing', ''],
    ['no prefix', printSecret(32).slice(6)],
    ['another prefix', printSecret(32).replace('whsec_', 'whsk_')],
    ['23 octets', printSecret(23)],
    ['65 octets', printSecret(65)],
    ['a megabyte', printSecret(1_000_000)],
    ['base64url', `whsec_${Buffer.alloc(32, 0xff).toString('base64url')}`],
    ['a space', `${printSecret(32)} `],
    ['a line end', `${printSecret(32)}\n`],
    ['stray bits', `whsec_${'A'.repeat(33)}B`.replace(/A{2}B$/, 'AB==')],
    ['a length that no octets have', `whsec_${'A'.repeat(41)}`],
  ])('refuses %s', (_what, secret) => {
    expect(readSecret(secret)).toBeNull();
  });
});

// The test vector of the JavaScript library of Standard Webhooks.
it('signs as the specification does', () => {
  expect(
    signAttempt(
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      new Date(1_614_265_330_999),
      Buffer.from('{"test": 2432232314}'),
    ),
  ).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});
