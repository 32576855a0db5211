import { readdirSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { createFakeWorld, type FakeWorld } from './fakes.ts';
import { contextFor, readOperation, run, watch } from './run.ts';

let world: FakeWorld;
beforeEach(() => {
  world = createFakeWorld();
});

/** Runs a client document as it stands. */
const runOperation = async (name: string, variables: Record<string, unknown>) => {
  const { data, errors } = await run(world.services, readOperation(name), variables);
  expect(errors).toBeUndefined();
  return data ?? {};
};

const jobId = (id: string) => Buffer.from(`BulkJob:${id}`).toString('base64url');

describe('client documents, unchanged', () => {
  test('each has a test here', () => {
    const tested = [
      'BulkJob',
      'BulkJobProgress',
      'BulkJobResults',
      'BulkJobs',
      'ControlBulkJob',
      'CreateUpload',
      'DomainProfile',
      'ExchangeProfile',
      'Gateway',
      'StartBulkJob',
      'SyntaxOnly',
      'VerifyEmail',
      'VerifyEmails',
      'WatchVerification',
    ];
    const written = readdirSync(new URL('../../schema/operations/', import.meta.url));
    expect(written.toSorted()).toEqual(tested.map((name) => `${name}.graphql`));
  });

  test('VerifyEmail: the verdict with its receipt', async () => {
    const { email } = await runOperation('VerifyEmail', { address: 'ada@mail.test', maxAge: '7d' });
    expect(email).toMatchObject({
      id: Buffer.from('Email:ada@mail.test').toString('base64url'),
      address: 'ada@mail.test',
      normalized: 'ada@mail.test',
      localPart: 'ada',
      syntax: { isValid: true, problem: null },
      domain: { name: 'mail.test' },
      verification: {
        status: 'DELIVERABLE',
        reason: 'MAILBOX_EXISTS',
        fromCache: false,
        retryAt: null,
        checkedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      },
      mailbox: {
        outcome: 'ACCEPTED',
        phase: 'RCPT_TO',
        isCatchAll: false,
        exchange: { host: 'mx1.mail.test' },
        address: '192.0.2.1',
        reply: { code: 250, enhancedCode: '2.1.5', text: 'Ok' },
        durationMs: 12,
        transcript: [{ at: '2030-01-01T00:00:00.000Z', direction: 'SERVER', text: '220 mx1.mail.test' }],
      },
    });
  });

  test('VerifyEmail: a second asking comes from memory', async () => {
    await runOperation('VerifyEmail', { address: 'ada@mail.test' });
    const { email } = await runOperation('VerifyEmail', { address: 'ada@mail.test' });
    expect(email).toMatchObject({ verification: { fromCache: true }, mailbox: { outcome: 'ACCEPTED' } });
    expect(world.prober.probed).toHaveLength(1);
  });

  test('VerifyEmail: a text that is no address is a result', async () => {
    const { email } = await runOperation('VerifyEmail', { address: 'no at sign' });
    expect(email).toMatchObject({
      address: 'no at sign',
      normalized: null,
      canonical: null,
      localPart: null,
      isRole: false,
      syntax: { isValid: false, problem: { position: expect.any(Number), message: expect.any(String) } },
      domain: null,
      verification: { status: 'UNDELIVERABLE', reason: 'INVALID_SYNTAX' },
      mailbox: null,
    });
  });

  test('SyntaxOnly', async () => {
    const { email } = await runOperation('SyntaxOnly', { address: 'ada@mail.test' });
    expect(email).toMatchObject({ syntax: { isValid: true }, domain: { name: 'mail.test', isFree: false } });
  });

  test('VerifyEmails: in the order given, the bad among the good', async () => {
    const { emails } = await runOperation('VerifyEmails', {
      addresses: ['ada@mail.test', 'nobody@mail.test', 'nonsense', 'ada@mail.test'],
    });
    expect(
      (emails as { verification: { reason: string } }[]).map(({ verification }) => verification.reason),
    ).toEqual(['MAILBOX_EXISTS', 'MAILBOX_NOT_FOUND', 'INVALID_SYNTAX', 'MAILBOX_EXISTS']);
    expect(world.prober.probed).toHaveLength(2);
  });

  test('DomainProfile: what DNS and one exchange say', async () => {
    const { domain } = await runOperation('DomainProfile', { name: 'mail.test' });
    expect(domain).toMatchObject({
      name: 'mail.test',
      exists: true,
      acceptsMail: true,
      isNullMx: false,
      isImplicitMx: false,
      mx: [
        { preference: 10, exchange: { host: 'mx1.mail.test' } },
        { preference: 20, exchange: { host: 'mx2.mail.test' } },
      ],
      spf: { record: 'v=spf1 mx -all', isValid: true, allQualifier: 'FAIL', problem: null },
      dmarc: { isValid: true, policy: 'REJECT', subdomainPolicy: 'QUARANTINE', problem: null },
      mtaSts: null,
      tlsRpt: { record: 'v=TLSRPTv1; rua=mailto:tls@mail.test' },
      catchAll: { answer: 'NO', checkedAt: '2030-01-01T00:00:00.000Z' },
    });
  });

  test.each([
    ['nullmx.test', { exists: true, acceptsMail: false, isNullMx: true, isImplicitMx: false, mx: [] }],
    ['implicit.test', { exists: true, acceptsMail: true, isNullMx: false, isImplicitMx: true }],
    ['gone.test', { exists: false, acceptsMail: false, isNullMx: false, mx: [], catchAll: null }],
    [
      'broken.test',
      {
        exists: null,
        acceptsMail: null,
        isNullMx: null,
        isImplicitMx: null,
        mx: null,
        spf: { record: null, isValid: null, problem: 'The record could not be asked for: SERVFAIL.' },
        catchAll: null,
      },
    ],
  ])('DomainProfile of %s', async (name, expected) => {
    const { domain } = await runOperation('DomainProfile', { name });
    expect(domain).toMatchObject(expected);
  });

  test('ExchangeProfile: addresses by DNS, the greeting by SMTP', async () => {
    const { mailExchange } = await runOperation('ExchangeProfile', { host: 'mx1.mail.test' });
    expect(mailExchange).toEqual({
      id: Buffer.from('MailExchange:mx1.mail.test').toString('base64url'),
      host: 'mx1.mail.test',
      addresses: [{ ip: '192.0.2.1', family: 4, ptr: 'mx1.mail.test', isRoutable: true }],
      provider: null,
      greeting: {
        isReachable: true,
        address: '192.0.2.1',
        banner: 'mx1.mail.test ESMTP',
        capabilities: ['PIPELINING', 'SIZE 52428800'],
        supportsStartTls: true,
        supportsPipelining: true,
        supportsSmtpUtf8: false,
        maxMessageBytes: 52_428_800,
        tls: {
          version: 'TLSv1.3',
          cipher: 'TLS_AES_256_GCM_SHA384',
          isTrusted: false,
          certificate: {
            subject: 'CN=mx1.mail.test',
            issuer: 'CN=test',
            validTo: '2031-01-01T00:00:00.000Z',
            altNames: ['mx1.mail.test'],
          },
        },
        reply: { code: 250, enhancedCode: null, text: 'mx1.mail.test' },
      },
    });
  });

  test('Gateway: the way out, lanes with most waiting first, and what may still be spent', async () => {
    const source = readOperation('Gateway');
    const context = contextFor(world.services);
    context.bill = { requested: 24, bucket: { capacity: 600, refillPerSecond: 10, left: 399.5 } };
    const charged = await run(world.services, source, {}, context);
    expect(charged.data?.rateLimit).toEqual({
      limit: 600,
      remaining: 399,
      cost: 24,
      resetAt: expect.stringMatching(/Z$/),
    });
    const { resetAt } = (charged.data?.rateLimit ?? {}) as { resetAt?: string };
    const untilMs = new Date(resetAt ?? '').getTime() - Date.now();
    expect(untilMs).toBeGreaterThan(10_000);
    expect(untilMs).toBeLessThanOrEqual(20_050);
    const open = contextFor(world.services);
    open.bill = { requested: 24, bucket: null };
    expect((await run(world.services, source, {}, open)).data?.rateLimit).toEqual({
      limit: null,
      remaining: null,
      cost: 24,
      resetAt: null,
    });
    const before = await run(world.services, source);
    expect(before.errors).toBeUndefined();
    expect(before.data?.gateway).toEqual({
      version: '1.2.3',
      isSandbox: false,
      egress: { smtp: 'UNKNOWN', checkedAt: null, detail: expect.stringMatching(/\.$/) },
      lanes: [
        {
          exchanges: ['mx.busy.test'],
          state: 'ACTIVE',
          sessions: 2,
          queued: 7,
          probesPerSecond: null,
          pausedUntil: null,
          lastReply: null,
        },
        expect.objectContaining({ exchanges: ['mx1.mail.test'], state: 'IDLE' }),
        {
          exchanges: ['mx.angry.test'],
          state: 'PAUSED',
          sessions: 0,
          queued: 0,
          probesPerSecond: 2.5,
          pausedUntil: '2030-01-01T00:10:00.000Z',
          lastReply: { code: 421, enhancedCode: '4.7.0', text: 'Slow down' },
        },
      ],
    });
    await runOperation('VerifyEmail', { address: 'ada@mail.test' });
    const { data } = await run(world.services, source);
    expect(data?.gateway).toMatchObject({ egress: { smtp: 'OPEN', checkedAt: expect.any(String) } });
  });

  test('StartBulkJob, then BulkJobs and BulkJob', async () => {
    const { startBulkJob } = await runOperation('StartBulkJob', {
      input: { name: 'spring', source: { addresses: ['ada@mail.test', 'x', 'y'] } },
    });
    expect(startBulkJob).toMatchObject({ __typename: 'BulkJob', state: 'QUEUED', progress: { total: 3 } });
    const { id } = startBulkJob as { id: string };

    const { bulkJobs } = await runOperation('BulkJobs', { first: 10 });
    expect(bulkJobs).toMatchObject({
      edges: [{ node: { id, name: 'spring', progress: { total: 3, settled: 0 } } }],
    });

    const key = Buffer.from(id, 'base64url').toString().slice('BulkJob:'.length);
    world.jobs.fake.advance(key, 3);
    const { bulkJob } = await runOperation('BulkJob', { id, first: 2, status: ['DELIVERABLE'] });
    expect(bulkJob).toMatchObject({
      state: 'COMPLETED',
      progress: { total: 3, settled: 3 },
      breakdown: { byReason: [{ reason: 'MAILBOX_EXISTS', count: 3 }] },
      results: {
        totalCount: 2,
        pageInfo: { hasNextPage: false },
        edges: [{ node: { row: 1 } }, { node: { row: 3 } }],
      },
      csv: `http://rcpt.test/results/${key}.csv`,
      ndjson: `http://rcpt.test/results/${key}.ndjson`,
    });
    expect((bulkJob as { breakdown: { byDomain: unknown[] } }).breakdown.byDomain).toHaveLength(20);
  });

  test('BulkJobProgress: the state now, then the newest, and the end', async () => {
    const { id } = world.jobs.fake.create(4, null);
    const stream = await watch(world.services, readOperation('BulkJobProgress'), { id: jobId(id) });
    if (!(Symbol.asyncIterator in stream)) throw new Error('refused');
    const settled = async () => {
      const { value, done } = await stream.next();
      return done
        ? 'done'
        : (value.data as { bulkJobProgress: { progress: { settled: number } } }).bulkJobProgress.progress
            .settled;
    };
    expect(await settled()).toBe(0);
    world.jobs.fake.advance(id, 1);
    world.jobs.fake.advance(id, 1);
    expect(await settled()).toBe(2);
    world.jobs.fake.advance(id, 2);
    expect(await settled()).toBe(4);
    expect(await settled()).toBe('done');
  });

  test('BulkJobResults: in batches, and after a cursor, be it of a batch or of an edge', async () => {
    const { id } = world.jobs.fake.create(5, null);
    world.jobs.fake.advance(id, 5);
    const rest = async (after: string | null) => {
      const stream = await watch(world.services, readOperation('BulkJobResults'), { id: jobId(id), after });
      if (!(Symbol.asyncIterator in stream)) throw new Error('refused');
      const batches: { cursor: string; results: { position: number }[] }[] = [];
      for await (const { data } of stream) batches.push(data?.bulkJobResults as (typeof batches)[number]);
      return batches;
    };
    const batches = await rest(null);
    expect(batches.map(({ results }) => results.map(({ position }) => position))).toEqual([
      [1, 2],
      [3, 4],
      [5],
    ]);
    const after = (await rest(batches[0]?.cursor ?? '')).flatMap(({ results }) => results);
    expect(after.map(({ position }) => position)).toEqual([3, 4, 5]);
    const { bulkJob } = await runOperation('BulkJob', { id: jobId(id), first: 4, after: batches[0]?.cursor });
    const { edges } = (bulkJob as { results: { edges: { cursor: string; node: { row: number } }[] } })
      .results;
    expect(edges.map(({ node }) => node.row)).toEqual([3, 4, 5]);
    expect(edges[1]?.cursor).toBe(batches[1]?.cursor);
    expect(await rest(edges.at(-1)?.cursor ?? '')).toEqual([]);
  });

  test('CreateUpload: where to send it', async () => {
    const { createUpload } = await runOperation('CreateUpload', {
      input: { fileName: 'spring.csv', sizeBytes: 5_000_000_000 },
    });
    expect(createUpload).toEqual({
      __typename: 'Upload',
      id: expect.any(String),
      url: expect.stringMatching(/^http:\/\/rcpt\.test\/uploads\//),
      expiresAt: '2030-01-02T00:00:00.000Z',
    });
    const { id } = createUpload as { id: string };
    const source =
      'query ($id: ID!) { upload(id: $id) { state sizeBytes receivedBytes fileName } node(id: $id) { id } }';
    expect((await run(world.services, source, { id })).data).toEqual({
      upload: { state: 'OPEN', sizeBytes: 5_000_000_000, receivedBytes: 0, fileName: 'spring.csv' },
      node: { id },
    });
    expect(world.uploads.fake.reads).toBe(1);
  });

  test('ControlBulkJob: pause, resume, cancel, delete', async () => {
    const { id: key } = world.jobs.fake.create(5, null);
    const id = jobId(key);
    const control = async (operation: string) =>
      (await run(world.services, readOperation('ControlBulkJob'), { id }, undefined, operation)).data;
    expect([
      await control('PauseBulkJob'),
      await control('PauseBulkJob'),
      await control('ResumeBulkJob'),
      await control('ResumeBulkJob'),
      await control('CancelBulkJob'),
      await control('CancelBulkJob'),
      await control('ResumeBulkJob'),
      await control('DeleteBulkJob'),
      await control('DeleteBulkJob'),
    ]).toEqual([
      { pauseBulkJob: { __typename: 'BulkJob', id, state: 'PAUSED' } },
      { pauseBulkJob: { __typename: 'BulkJob', id, state: 'PAUSED' } },
      { resumeBulkJob: { __typename: 'BulkJob', id, state: 'RUNNING' } },
      { resumeBulkJob: { __typename: 'BulkJob', id, state: 'RUNNING' } },
      { cancelBulkJob: { __typename: 'BulkJob', id, state: 'CANCELLED' } },
      { cancelBulkJob: { __typename: 'BulkJob', id, state: 'CANCELLED' } },
      {
        resumeBulkJob: {
          __typename: 'InvalidStateError',
          code: 'INVALID_STATE',
          message: 'The job is CANCELLED and cannot be resumed.',
        },
      },
      { deleteBulkJob: { __typename: 'DeletedBulkJob', id } },
      { deleteBulkJob: { __typename: 'NotFoundError', code: 'NOT_FOUND', message: expect.any(String) } },
    ]);
  });
});
