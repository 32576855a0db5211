/** What a document costs at most, told from its text: a sum that a person can do, beside each. */
import { readdirSync } from 'node:fs';
import { buildSchema, parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { planCost } from '../../src/graphql/cost.ts';
import { schema } from '../../src/graphql/index.ts';
import { readOperation } from './run.ts';

const costOf = (source: string, variables: Record<string, unknown> = {}, name: string | null = null) =>
  planCost(schema, parse(source), name, variables).requested;

const five = Array.from({ length: 5 }, (_, index) => `user${index}@mail.test`);

/** Every client document. */
const operations: readonly (readonly [string, Record<string, unknown>, number])[] = [
  // job, progress, breakdown with two lists and 20 domains, connection with pageInfo and 20 edges with nodes
  ['BulkJob', { first: 20 }, 1 + 1 + (1 + 1 + 1 + 20) + (1 + 1 + 20 * 2)],
  // event, job, progress
  ['BulkJobProgress', {}, 3],
  // batch, results, reply
  ['BulkJobResults', {}, 3],
  // connection, pageInfo, 20 edges with node and progress
  ['BulkJobs', { first: 20 }, 1 + 1 + 20 * 3],
  ['CreateUpload', {}, 1],
  // domain; exists and its three kin, provider; mx with 10 exchanges; four policies; catchAll
  ['DomainProfile', {}, 1 + 5 * 2 + (2 + 10) + 4 * 2 + 20],
  // exchange; addresses with 4 pointers; provider; greeting with TLS, certificate and reply
  ['ExchangeProfile', {}, 1 + (2 + 4 * 2) + 1 + (20 + 3)],
  // gateway, egress, 20 lanes with a reply; rateLimit
  ['Gateway', {}, 1 + 1 + 20 * 2 + 1],
  ['StartBulkJob', {}, 2],
  // email, syntax, problem, domain
  ['SyntaxOnly', {}, 4],
  // those and the provider; verification with signals; mailbox with exchange, reply and transcript
  ['VerifyEmail', {}, 4 + 2 + (20 + 1) + (20 + 3)],
  ['VerifyEmails', { addresses: five }, 5 * (1 + 20)],
  // event and its asking, exchange, reply, verification
  ['WatchVerification', {}, 20 + 3],
];

describe('client documents', () => {
  test('each stands in the table', () => {
    const written = readdirSync(new URL('../../schema/operations/', import.meta.url));
    const listed = [...operations.map(([name]) => name), 'ControlBulkJob'];
    expect(written.toSorted()).toEqual(listed.toSorted().map((name) => `${name}.graphql`));
  });

  test.each(operations)('%s', (name, variables, cost) => {
    expect(costOf(readOperation(name), variables)).toBe(cost);
  });

  test.each(['PauseBulkJob', 'ResumeBulkJob', 'CancelBulkJob', 'DeleteBulkJob'])('%s', (name) => {
    expect(costOf(readOperation('ControlBulkJob'), {}, name)).toBe(1);
  });
});

const probe = 'verification { status }';

const rows: readonly (readonly [
  name: string,
  source: string,
  cost: number,
  variables?: Record<string, unknown>,
])[] = [
  ['scalars', '{ email(address: "a") { address isRole } }', 1],
  ['a scalar that asks DNS', '{ domain(name: "a.test") { exists } }', 1 + 2],
  ['a list that asks once and has ten', '{ domain(name: "a.test") { mx { preference } } }', 1 + 2],
  [
    'what the ten ask',
    '{ domain(name: "a.test") { mx { exchange { greeting { banner } } } } }',
    1 + 2 + 10 * 21,
  ],
  ['a list with its parent', `{ email(address: "a") { verification { signals { code } } } }`, 1 + 20 + 1],
  ['two roots', `{ a: email(address: "a") { ${probe} } b: email(address: "b") { ${probe} } }`, 42],
  ['a field under two aliases', `{ email(address: "a") { ${probe} b: ${probe} } }`, 1 + 40],
  [
    'a field twice is one field',
    `{ email(address: "a") { ${probe} ${probe} } email(address: "a") { ${probe} } }`,
    21,
  ],
  [
    'one field from two fragments',
    `{ email(address: "a") { ...A ...B ...A } } fragment A on Email { ${probe} } fragment B on Email { verification { reason } }`,
    21,
  ],
  [
    'fields below merge too',
    '{ domain(name: "a.test") { mx { exchange { host } } mx { exchange { greeting { banner } } } } }',
    1 + 2 + 10 * 21,
  ],
  [
    'introspection',
    '{ __schema { types { fields { name } } } __typename email(address: "a") { __typename } }',
    1,
  ],
  ['a literal list', `{ emails(addresses: ["a", "b", "c"]) { ${probe} } }`, 63],
  ['an empty list', `{ emails(addresses: []) { ${probe} } }`, 0],
  ['one value that stands for a list', `{ emails(addresses: "a") { ${probe} } }`, 21],
  ['a variable list', `query ($a: [String!]!) { emails(addresses: $a) { ${probe} } }`, 105, { a: five }],
  [
    'the default of a variable',
    `query ($a: [String!]! = ["a", "b"]) { emails(addresses: $a) { ${probe} } }`,
    42,
  ],
  [
    'null in place of the default',
    'query ($n: Int = 9) { bulkJobs(first: $n) { edges { cursor } } }',
    2,
    { n: null },
  ],
  [
    'a page',
    'query ($n: Int!) { bulkJobs(first: $n) { edges { cursor } pageInfo { endCursor } } }',
    1 + 7 + 1,
    { n: 7 },
  ],
  ['a page of more than may be', '{ bulkJobs(first: 2000000000) { edges { cursor } } }', 1 + 100],
  ['a page of less than none', '{ bulkJobs(first: -5) { edges { cursor } } }', 1],
  [
    'a variable of the wrong type',
    'query ($n: Int!) { bulkJobs(first: $n) { edges { cursor } } }',
    2,
    { n: 'x' },
  ],
  [
    'a number that is none',
    'query ($n: Int!) { bulkJobs(first: $n) { edges { cursor } } }',
    2,
    { n: Number.NaN },
  ],
  [
    'a variable by the name of a method',
    'query ($toString: Int = 4) { bulkJobs(first: $toString) { edges { cursor } } }',
    5,
  ],
  [
    'pages in pages',
    '{ bulkJobs(first: 10) { edges { node { results(first: 50) { edges { node { reply { code } } } } } } } }',
    1 + 10 * (1 + 1 + 1 + 50 * 3),
  ],
  ['nodes', '{ nodes(ids: ["a", "b"]) { id ... on Email { verification { status } } } }', 2 * 21],
  [
    'the dearest branch',
    `{ node(id: "a") { ... on Email { ${probe} } ... on Domain { exists } ... on BulkJob { progress { total } } } }`,
    21,
  ],
  [
    'branches of a union',
    'mutation { pauseBulkJob(id: "a") { ... on Error { code } ... on BulkJob { progress { total } } } }',
    2,
  ],
  [
    'skipped',
    `query ($yes: Boolean!) { email(address: "a") { verification @skip(if: $yes) { status } } }`,
    21,
    { yes: false },
  ],
  ['not skipped', `{ email(address: "a") { verification @skip(if: true) { status } } }`, 1],
  [
    'not included',
    `query ($no: Boolean!) { email(address: "a") { ... @include(if: $no) { ${probe} } } }`,
    1,
    { no: false },
  ],
  [
    'included by default',
    `query ($yes: Boolean = true) { email(address: "a") { ...A @include(if: $yes) } } fragment A on Email { ${probe} }`,
    21,
  ],
  [
    'a fragment left out once and used once',
    `{ email(address: "a") { ...A @skip(if: true) ...A } } fragment A on Email { ${probe} }`,
    21,
  ],
  ['deferred is asked all the same', `{ email(address: "a") { ... @defer { ${probe} } } }`, 21],
  ['fields that are not there', '{ nothing { more } email(address: "a") { nor { this } } }', 1],
  ['a fragment that is not there', '{ email(address: "a") { ...Nothing } }', 1],
  [
    'a fragment on another type',
    `{ email(address: "a") { ... on Domain { exists } ... on Node { id } } }`,
    1,
  ],
];

describe('a selection', () => {
  test.each(rows.map(([name, ...rest]) => [name, rest] as const))(
    '%s',
    (_name, [source, cost, variables]) => {
      expect(costOf(source, variables)).toBe(cost);
    },
  );

  test('the operation that is meant, and nothing when there is none', () => {
    const source = `query A { email(address: "a") { ${probe} } } query B { email(address: "a") { address } }`;
    expect(['A', 'B', 'C', null].map((name) => costOf(source, {}, name))).toEqual([21, 1, 0, 0]);
    expect(costOf(`fragment A on Email { ${probe} }`)).toBe(0);
  });

  test('the same document again: by its operation, its variables and the schema', () => {
    const document = parse(`query A { email(address: "a") { ${probe} } }
      query B($n: Int!) { bulkJobs(first: $n) { edges { cursor } } }`);
    const ask = (name: string, n?: number) => planCost(schema, document, name, { n }).requested;
    expect([ask('A'), ask('B', 3), ask('A'), ask('B', 5), ask('A')]).toEqual([21, 4, 21, 6, 21]);
    const other = buildSchema(
      'type Query { email(address: String): Email } type Email { verification: V } type V { status: Int }',
    );
    expect(planCost(other, document, 'A', {}).requested).toBe(2);
    expect(ask('A')).toBe(21);
  });
});

describe('a hostile document', () => {
  const refused = (source: string, of = schema) => {
    const document = parse(source);
    const begun = performance.now();
    expect(() => planCost(of, document, null, {})).toThrow(
      expect.objectContaining({ extensions: { code: 'TOO_COMPLEX', limit: 20_000 } }),
    );
    expect(performance.now() - begun).toBeLessThan(1_000);
  };

  const times = (count: number, print: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => print(index)).join(' ');

  test('fragments that multiply on each level', () => {
    refused(`{ ${times(50, (i) => `q${i}: domain(name: "a.test") { ...A }`)} }
      fragment A on Domain { ${times(50, (i) => `a${i}: mx { ...B }`)} }
      fragment B on MxRecord { ${times(50, (i) => `b${i}: exchange { ...C }`)} }
      fragment C on MailExchange { ${times(50, (i) => `c${i}: greeting { banner }`)} }`);
  });

  test('fragments that name each other, which nobody has validated', () => {
    expect(
      costOf(
        '{ email(address: "a") { ...A } } fragment A on Email { address ...B } fragment B on Email { ...A }',
      ),
    ).toBe(1);
    refused(
      '{ a { ...A } } fragment A on Tree { x: a { ...A } }',
      buildSchema('type Query { a: Tree } type Tree { a: Tree }'),
    );
  });

  test('fragments one in the other', () => {
    refused(`{ email(address: "a") { ${'... { '.repeat(400)} address ${'} '.repeat(400)} } }`);
  });

  test('a wide one is counted, since it is what it says', () => {
    expect(costOf(`{ ${times(5_000, (i) => `a${i}: email(address: "a") { ${probe} }`)} }`)).toBe(105_000);
  });
});
