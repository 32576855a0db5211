/** schema/README.md tells the truth: its documents are the clients', its costs are counted. */
import { readFileSync } from 'node:fs';
import { parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { planCost } from '../../src/graphql/cost.ts';
import { schema } from '../../src/graphql/index.ts';
import { readOperation } from './run.ts';

const text = readFileSync(new URL('../../schema/README.md', import.meta.url), 'utf8');

const rows = [...text.matchAll(/^\| \[(\w+)\]\(#\w+\) \| `(.*?)` \| .* \| ([\d +×]+) \| (\d+) \|$/gm)].map(
  ([, name = '', variables = '', sum = '', cost]) => ({ name, variables, sum, cost: Number(cost) }),
);

/** `4 + 2 × 21` */
const addUp = (sum: string): number =>
  sum
    .split('+')
    .map((product) => product.split('×').reduce((result, factor) => result * Number(factor), 1))
    .reduce((result, summand) => result + summand, 0);

describe('the five operations', () => {
  test('are five', () => {
    expect(rows).toHaveLength(5);
  });

  test.each(rows)('$name costs what it says', ({ name, variables, sum, cost }) => {
    const { addresses, ...given } = JSON.parse(variables) as Record<string, number>;
    const document = parse(readOperation(name));
    const requested = planCost(schema, document, null, {
      ...given,
      addresses: Array(addresses ?? 0).fill('a'),
    });
    expect([requested.requested, addUp(sum)]).toEqual([cost, cost]);
  });

  test.each(rows)('$name is the document that clients send', ({ name }) => {
    expect(text).toContain(`\n### ${name}\n\n\`\`\`graphql\n${readOperation(name).trimEnd()}\n\`\`\`\n`);
  });
});
