/** The subgraph by itself; composed and behind a real gateway it is in `test/federation`. */
import {
  experimentalExecuteIncrementally,
  isInputObjectType,
  parse,
  validate,
  validateSchema,
} from 'graphql';
import { beforeEach, describe, expect, test } from 'vitest';
import { planCost } from '../../src/graphql/cost.ts';
import { federateSchema, schema as plain } from '../../src/graphql/index.ts';
import { createFakeWorld, type FakeWorld } from './fakes.ts';
import { codesOf, contextFor, type run as runPlain } from './run.ts';

const schema = federateSchema(plain);

let world: FakeWorld;
beforeEach(() => {
  world = createFakeWorld();
});

const run = async (source: string, variableValues: Record<string, unknown> = {}) => {
  const document = parse(source);
  expect(validate(schema, document)).toEqual([]);
  return (await experimentalExecuteIncrementally({
    schema,
    document,
    variableValues,
    contextValue: contextFor(world.services),
  })) as Awaited<ReturnType<typeof runPlain>>;
};

const entities = (selection: string) =>
  `query ($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Email { ${selection} } } }`;

const email = (address: unknown) => ({ __typename: 'Email', address });

describe('_service', () => {
  test('the plain contract, with what composition must know', async () => {
    const { data } = await run('{ _service { sdl } }');
    const { sdl } = (data as { readonly _service: { readonly sdl: string } })._service;
    expect(sdl).toMatch(
      /^extend schema @link\(url: "https:\/\/specs\.apollo\.dev\/federation\/v2\.3", import: \["@key", "@shareable"\]\)\n/,
    );
    expect(sdl).toContain('type Email implements Node @key(fields: "address") {');
    expect(sdl).toContain('type PageInfo @shareable {');
    expect(sdl).not.toMatch(/_entities|_service|_Any|@oneOf|@defer|@stream|^ {2}nodes?\(/m);
    expect(() => parse(sdl)).not.toThrow();
  });

  test('the schema is a valid one, and the plain one stays as it was', () => {
    expect(validateSchema(schema)).toEqual([]);
    expect(plain.getQueryType()?.getFields()).not.toHaveProperty('_entities');
    const source = schema.getType('BulkJobSourceInput');
    expect(isInputObjectType(source) && source.isOneOf).toBe(true);
  });

  test('what it adds is described like everything else', () => {
    for (const name of ['_Any', '_Service', '_Entity'])
      expect(schema.getType(name)?.description, name).toMatch(/\.$/);
  });
});

describe('_entities', () => {
  test('nothing is asked that was not selected', async () => {
    const { data, errors } = await run(entities('address isRole syntax { isValid } domain { name }'), {
      r: [email('ada@mail.test'), email('no address')],
    });
    expect(errors).toBeUndefined();
    expect(data?._entities).toMatchObject([
      { __typename: 'Email', address: 'ada@mail.test', domain: { name: 'mail.test' } },
      { __typename: 'Email', address: 'no address', syntax: { isValid: false } },
    ]);
    expect([world.dns.queriesSent, world.prober.stats.commandsSent]).toEqual([0, 0]);
  });

  test('the same address is asked once, in the order given', async () => {
    const { data } = await run(entities('address verification { status }'), {
      r: [email('ada@mail.test'), email('nobody'), email('ada@mail.test')],
    });
    expect(world.prober.probed).toEqual(['ada@mail.test']);
    expect(data?._entities).toMatchObject([
      { verification: { status: 'DELIVERABLE' } },
      { verification: { status: 'UNDELIVERABLE' } },
      { verification: { status: 'DELIVERABLE' } },
    ]);
  });

  test('representations in the document itself', async () => {
    const { data } = await run(
      '{ _entities(representations: [{ __typename: "Email", address: "ada@mail.test" }]) { ... on Email { localPart } } }',
    );
    expect(data).toEqual({ _entities: [{ localPart: 'ada' }] });
  });

  test.each([
    ['another type', { __typename: 'User', id: '1' }, /no entity User/],
    ['a type that is here, but no entity', { __typename: 'Domain', name: 'mail.test' }, /no entity Domain/],
    ['a type of 1,000 characters', { __typename: 'x'.repeat(1_000) }, /^There is no entity x{100} in/],
    ['a method by name', { __typename: 'toString' }, /no entity toString/],
    ['no type', { address: 'ada@mail.test' }, /__typename/],
    ['a type that is a number', { __typename: 1 }, /__typename/],
    ['no key', { __typename: 'Email' }, /`address`/],
    ['a key that is a number', email(1), /`address`/],
    ['a key that is null', email(null), /`address`/],
    ['a key that is a list', email(['ada@mail.test']), /`address`/],
    ['a number', 7, /is an object/],
    ['a text', 'Email', /is an object/],
    ['a list', [email('ada@mail.test')], /is an object/],
  ])('%s is a coded error in its place', async (_name, bad, message) => {
    const { data, errors } = await run(entities('address'), {
      r: [email('a@mail.test'), bad, email('b@mail.test')],
    });
    expect(errors).toMatchObject([
      {
        path: ['_entities', 1],
        message: expect.stringMatching(message),
        extensions: { code: 'BAD_REPRESENTATION' },
      },
    ]);
    expect(data?._entities).toMatchObject([{ address: 'a@mail.test' }, null, { address: 'b@mail.test' }]);
  });

  test('at most 100, and none is asked of more', async () => {
    const most = (count: number) => ({
      r: Array.from({ length: count }, (_, index) => email(`u${index}@mail.test`)),
    });
    const refused = await run(entities('verification { status }'), most(101));
    expect(codesOf(refused)).toEqual(['TOO_MANY_ADDRESSES']);
    expect(refused.errors?.[0]?.extensions).toMatchObject({ argument: 'representations', limit: 100 });
    expect(world.prober.probed).toEqual([]);
    expect((await run(entities('verification { status }'), most(100))).errors).toBeUndefined();
    expect((await run(entities('address'), most(0))).data).toEqual({ _entities: [] });
  });

  test('costs what emails costs', () => {
    const document = parse(entities('verification { status }'));
    expect(planCost(schema, document, null, { r: [1, 2, 3].map(email) })).toMatchObject({
      requested: 3 * 21,
    });
  });
});
