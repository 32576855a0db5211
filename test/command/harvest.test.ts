/** Who guesses the mailboxes of a domain: a gateway with keys, asked in person and by list, and its log. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, post } from './ask.ts';
import { type RunningGateway, runRcpt, startRcpt } from './process.ts';

let dir: string;
let gateway: RunningGateway;
let log = '';
const create = async (name: string) => {
  const { out } = await runRcpt(['keys', 'create', '--sandbox', '--name', name, '--scope', 'verify,bulk'], {
    env: { RCPT_DATA_DIR: dir },
  });
  return out.trimEnd();
};
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rcpt-harvest-'));
});
afterAll(async () => {
  await gateway?.stop('SIGTERM');
  await rm(dir, { recursive: true });
});

test('a key that guesses is answered no more of the domain, others are, and the log has it once', async () => {
  const guesser = await create('guesser');
  const honest = await create('honest');
  gateway = await startRcpt(
    'sandbox',
    { RCPT_DATA_DIR: dir, RCPT_HARVEST_LIMIT: '2', RCPT_TRUSTED_PROXIES: '127.0.0.0/8' },
    (text) => {
      log += text;
    },
  );
  const reasonOf = async (key: string, address: string) => {
    const { email } = await ask<{ email: { verification: { reason: string }; mailbox: object | null } }>(
      { url: gateway.url, key },
      'query ($address: String!) { email(address: $address) { verification { reason retryAt } mailbox { phase } } }',
      { address },
    );
    return email;
  };
  const found = { verification: { reason: 'MAILBOX_NOT_FOUND' } };
  const limited = {
    verification: { reason: 'HARVEST_LIMITED', retryAt: expect.stringMatching(/Z$/) },
    mailbox: null,
  };
  expect(await reasonOf(guesser, 'nobody@accepts.test')).toMatchObject(found);
  expect(await reasonOf(guesser, 'nobody1@accepts.test')).toMatchObject(found);
  // The one after, one that was told already, one that is there: nothing more is told.
  for (const name of ['nobody2', 'nobody', 'user1'])
    expect(await reasonOf(guesser, `${name}@accepts.test`)).toEqual(limited);
  expect(await reasonOf(honest, 'nobody2@accepts.test')).toMatchObject(found);
  expect(await reasonOf(guesser, 'nobody@no-smtputf8.test')).not.toMatchObject(limited);
  const events = log.split('\n').filter((line) => line.includes('harvest limited'));
  expect(events.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ level: 'audit', domain: 'accepts.test', unknownMailboxes: 2 }),
  ]);
  expect(log).not.toMatch(/nobody/);
});

test('one visitor of a page who guesses does not close the domain for the others', async () => {
  const origin = 'https://shop.test';
  const { out } = await runRcpt(
    ['keys', 'create', '--sandbox', '--name', 'page', '--scope', 'verify', '--origin', origin],
    { env: { RCPT_DATA_DIR: dir } },
  );
  const verify = async (client: string, local: string) => {
    const response = await post(
      gateway,
      `{ email(address: "${local}@accepts.test") { verification { reason } } }`,
      { key: out.trimEnd(), headers: { origin, 'x-forwarded-for': client } },
    );
    return ((await response.json()) as { data?: { email: { verification: { reason: string } } } }).data?.email
      .verification.reason;
  };
  // A gateway looks for new keys every second.
  while ((await verify('192.0.2.1', 'user1')) === undefined);
  for (const guess of ['guess1', 'guess2'])
    expect(await verify('192.0.2.1', guess)).toBe('MAILBOX_NOT_FOUND');
  expect(await verify('192.0.2.1', 'guess3')).toBe('HARVEST_LIMITED');
  expect(await verify('192.0.2.2', 'guess3')).toBe('MAILBOX_NOT_FOUND');
  expect(log).not.toContain('192.0.2');
});

test('a list of guesses settles, most of it untold; a list of a real house settles whole', async () => {
  const key = await create('lists');
  let status = 401;
  while (status === 401)
    ({ status } = await fetch(gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: '{"query":"{ __typename }"}',
    }));
  const settle = async (addresses: readonly string[]) => {
    const as = { url: gateway.url, key };
    const { startBulkJob } = await ask<{ startBulkJob: { id: string } }>(
      as,
      'mutation ($addresses: [String!]!) { startBulkJob(input: {source: {addresses: $addresses}}) { ... on BulkJob { id } } }',
      { addresses },
    );
    const stream = await fetch(gateway.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${key}`,
      },
      body: JSON.stringify({
        query: `subscription { bulkJobProgress(id: "${startBulkJob.id}") { job { state } } }`,
      }),
    });
    expect(await stream.text()).toContain('"COMPLETED"');
    const { bulkJob } = await ask<{
      bulkJob: { breakdown: { byReason: readonly { reason: string; count: number }[] } };
    }>(as, 'query ($id: ID!) { bulkJob(id: $id) { breakdown { byReason { reason count } } } }', {
      id: startBulkJob.id,
    });
    return Object.fromEntries(bulkJob.breakdown.byReason.map(({ reason, count }) => [reason, count]));
  };
  const users = Array.from({ length: 60 }, (_, n) => `user${n}@accepts.test`);
  const dead = Array.from({ length: 40 }, (_, n) => `nobody${n}@accepts.test`);
  expect(await settle([...users, ...dead])).toEqual({ MAILBOX_EXISTS: 60, MAILBOX_NOT_FOUND: 40 });
  const guesses = Array.from({ length: 600 }, (_, n) => `nobody${n}@no-smtputf8.test`);
  const { HARVEST_LIMITED = 0, MAILBOX_NOT_FOUND = 0, ...others } = await settle(guesses);
  expect(others).toEqual({});
  expect(MAILBOX_NOT_FOUND).toBeGreaterThanOrEqual(20);
  expect(HARVEST_LIMITED).toBeGreaterThan(300);
});
