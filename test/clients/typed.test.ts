/** The typed example: it runs, its types are of this schema, and they are types. */
import { readFileSync } from 'node:fs';
import type { ResultOf, VariablesOf } from 'gql.tada';
import { parse, print } from 'graphql';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { adviseOn, startJob } from '../../examples/typed/advise.ts';
import * as documents from '../../examples/typed/documents.ts';
import { graphql } from '../../examples/typed/graphql.ts';
import { printIntrospection } from '../../examples/typed/print-introspection.ts';
import { readOperation } from '../graphql/run.ts';
import { useGateway } from './gateway.ts';

const world = useGateway();

describe('the typed example', () => {
  test('introspection.d.ts is of schema/schema.graphql: else run `npm run schema`', async () => {
    const url = new URL('../../examples/typed/introspection.d.ts', import.meta.url);
    expect(readFileSync(url, 'utf8')).toBe(await printIntrospection());
  });

  test.each(Object.entries(documents))('%s is the document in schema/operations', (name, document) => {
    expect(print(document)).toBe(print(parse(readOperation(name), { noLocation: true })));
  });

  test('advises on addresses', async () => {
    const addresses = ['user1@accepts.test', 'nobody@accepts.test', 'user1@blocked-at-rcpt.test', 'none'];
    expect(await adviseOn(world.line.url, addresses)).toEqual(['accept', 'refuse', 'ask again', 'refuse']);
  });

  test('starts a job, and says why it cannot', async () => {
    expect(await startJob(world.line.url, ['user1@accepts.test'])).toMatchObject({
      kind: 'started',
      id: expect.any(String),
      total: 1,
    });
    expect(await startJob(world.line.url, [])).toMatchObject({ kind: 'failed', code: 'EMPTY_LIST' });
  });

  // `npm run check` fails when one of these does not hold; nothing happens here when they run.
  test('is typed', () => {
    type Verification = NonNullable<
      ResultOf<typeof documents.VerifyEmails>['emails'][number]['verification']
    >;
    expectTypeOf<VariablesOf<typeof documents.VerifyEmails>>().toEqualTypeOf<{ addresses: string[] }>();
    expectTypeOf<Verification['status']>().toEqualTypeOf<
      'DELIVERABLE' | 'RISKY' | 'UNDELIVERABLE' | 'UNKNOWN'
    >();
    expectTypeOf<Verification['retryAt']>().toEqualTypeOf<string | null>();
    const wrong = graphql('{ email(address: "a") { nothing } }');
    expectTypeOf<ResultOf<typeof wrong>['email']>().toEqualTypeOf<{ nothing: unknown }>();
  });
});
