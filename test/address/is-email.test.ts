/**
 * The public is_email corpora (164 and 279 cases; BSD, notice in is_email.LICENSE.md) against our parser. The fixture says
 * of each case what we expect, and why wherever SMTP's envelope (RFC 5321, 6531) parts from message headers (RFC 5322).
 */
import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../src/address/index.ts';
import fixture from './is_email.fixture.json' with { type: 'json' };

type Case = {
  readonly set: string;
  readonly id: number;
  readonly input: string;
  readonly theirs: string;
  readonly address?: string;
  readonly fault?: string;
  readonly position?: number;
  readonly why?: string;
};
const cases: readonly Case[] = fixture.cases;
const named = cases.map((row) => [`${row.set} ${row.id} ${row.theirs}`, row] as const);

describe('is_email', () => {
  test('every case of both sets is here, once', () => {
    expect(cases.filter(({ set }) => set === 'tests')).toHaveLength(164);
    expect(cases.filter(({ set }) => set === 'tests-original')).toHaveLength(279);
    expect(new Set(named.map(([name]) => name)).size).toBe(443);
  });

  test.each(named)('%s', (_, { input, address, fault, position }) => {
    const parsed = parseAddress(input);
    expect(
      parsed.kind === 'address'
        ? { address: parsed.address.normalized }
        : { fault: parsed.fault.code, position: parsed.fault.position },
    ).toEqual(address === undefined ? { fault, position } : { address });
  });
});

/**
 * Their own scale, which the fixture's expectations did not come from: VALID, DNSWARN and RFC5321 are good for SMTP; CFWS,
 * DEPREC and RFC5322 are good in a header only; ERR is good nowhere (meta.xml of is_email).
 */
const isGoodForSmtp = ({ theirs }: Case): boolean => /^(VALID|DNSWARN|RFC5321)/.test(theirs);
/** SMTP's grammar has it, and we refuse it all the same: nobody can verify it on the public internet. */
const isUnverifiable = ({ theirs }: Case): boolean =>
  /^RFC5321_(ADDRESSLITERAL|IPV6DEPRECATED|TLD|TLDNUMERIC)$/.test(theirs);

describe('where we part from is_email', () => {
  test('on the envelope in three cases, beside what cannot be verified', () => {
    const parted = cases.filter(
      (row) => !isUnverifiable(row) && isGoodForSmtp(row) !== (row.address !== undefined),
    );
    expect(parted.map(({ set, id }) => `${set} ${id}`)).toEqual([
      'tests 5',
      'tests 60',
      'tests-original 279',
    ]);
  });

  test('nothing that cannot be verified is accepted', () => {
    expect(cases.filter((row) => isUnverifiable(row) && row.address !== undefined)).toEqual([]);
  });

  test('each case that is not plainly valid or plainly an error has its reason', () => {
    const unexplained = cases.filter(
      ({ theirs, address, why }) =>
        why === undefined && !(address === undefined ? /^ERR_/.test(theirs) : theirs === 'VALID'),
    );
    expect(unexplained).toEqual([]);
  });
});
