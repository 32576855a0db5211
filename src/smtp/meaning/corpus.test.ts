import { describe, expect, test } from 'vitest';
import { type CorpusRow, corpus } from './corpus.ts';
import { tricky } from './corpus-tricky.ts';
import { parseExample } from './example.ts';
import { classifyReply } from './index.ts';

const rows = Object.entries(corpus).flatMap(([by, replies]) => replies.map((row) => ({ by, row })));
const heldOut = rows.filter(({ row }) => isHeldOut(row));
const learnt = rows.filter(({ row }) => !isHeldOut(row));

/** FNV-1a of the reply: stable, and no row chooses its side. */
function isHeldOut([, line]: CorpusRow): boolean {
  let hash = 0x811c9dc5;
  for (const character of line) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash % 3 === 0;
}

function classify([, line, phase = 'RCPT_TO']: CorpusRow) {
  return classifyReply({
    phase,
    reply: parseExample(line),
    recipient: { localPart: 'jo', domain: 'example.com' },
    providerId: null,
  });
}

test('at least 300 replies, no two the same, about a third held out', () => {
  expect(rows.length).toBeGreaterThanOrEqual(300);
  expect(new Set(rows.map(({ by, row: [, line, phase] }) => `${by} ${phase} ${line}`)).size).toBe(
    rows.length,
  );
  expect(heldOut.length / rows.length).toBeGreaterThan(0.25);
});

describe('what the rules were written by is classified right', () => {
  test.each(learnt.map(({ by, row }) => [by, row[1], row] as const))('%s: %s', (_, __, row) => {
    expect(classify(row)).toMatchObject({ kind: row[0] });
  });
});

describe('code and words that point at different culprits', () => {
  test.each(tricky.map((row) => [row[1], row] as const))('%s', (_, row) => {
    expect(classify(row)).toMatchObject({ kind: row[0] });
  });
});

test('what was held out is classified right in most cases, and never convicts the innocent', () => {
  const results = heldOut.map(({ row }) => ({ wanted: row[0], given: classify(row).kind, line: row[1] }));
  const right = results.filter(({ wanted, given }) => wanted === given).length;
  process.stdout.write(
    `corpus: ${rows.length} replies; held out ${right} of ${heldOut.length} right (${((100 * right) / heldOut.length).toFixed(1)} %)\n`,
  );
  expect(right / heldOut.length).toBeGreaterThanOrEqual(0.8);
  const guilty = new Set(['MAILBOX_NOT_FOUND', 'MAILBOX_DISABLED']);
  expect(results.filter(({ wanted, given }) => guilty.has(given) && !guilty.has(wanted))).toEqual([]);
});
