/** The same promises as `cost.test.ts`, kept by the real rooms: what goes over the wire is counted at the wire. */

import type { ExecutionResult } from 'graphql';
import { parse } from 'graphql';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { prepareExamples } from '../../src/command/examples.ts';
import { createDns, type Dns } from '../../src/dns/index.ts';
import type { Services } from '../../src/graphql/index.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/index.ts';
import { readOperationTabs } from '../../src/server/operations.ts';
import { createGuard, createProber, type Prober } from '../../src/smtp/index.ts';
import { createVerifier } from '../../src/verify/index.ts';
import { createFakeJobs, createFakeUploads } from './fake-jobs.ts';
import { contextFor, readOperation, run, watch } from './run.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ pace: 0.05 });
});
afterAll(() => sandbox.close());

let services: Services;
let jobs: ReturnType<typeof createFakeJobs>['fake'];
let dns: Dns;
let prober: Prober;
let close: () => Promise<void> = async () => undefined;

/** Rooms that have asked nothing yet. */
beforeEach(async () => {
  await close();
  sandbox.reset();
  dns = createDns({ servers: sandbox.dnsServers });
  const guard = createGuard(sandbox.allowHosts);
  prober = createProber({
    lookupAddresses: (host, signal) => dns.lookupAddresses(host, signal),
    guard,
    port: sandbox.smtpPort,
    heloName: 'probe.rcpt.test',
    mailFrom: '',
    maxSessions: 20,
    maxSessionsPerExchange: 4,
    probesPerSecondPerExchange: 0,
  });
  const memory = { recall: async () => null, remember: async () => undefined };
  const fakeJobs = createFakeJobs();
  jobs = fakeJobs.fake;
  services = {
    dns,
    prober,
    guard,
    jobs: fakeJobs,
    uploads: createFakeUploads(),
    verifier: createVerifier({ dns, prober, memory, budgetMs: 10_000 }),
    gateway: { version: 'test', isSandbox: true },
  };
  close = async () => {
    await prober.close();
    dns.close();
  };
});
afterAll(() => close());

const sent = () => ({ dns: dns.queriesSent, smtp: prober.stats.commandsSent });

describe('counted at the wire', () => {
  test('SyntaxOnly: nothing', async () => {
    const { errors } = await run(services, readOperation('SyntaxOnly'), { address: 'user1@accepts.test' });
    expect(errors).toBeUndefined();
    expect(sent()).toEqual({ dns: 0, smtp: 0 });
    expect(sandbox.counts()).toEqual({ dnsQueries: 0, smtpSessions: 0, smtpCommands: 0 });
  });

  test('DomainProfile without catchAll: DNS and no SMTP; with it: one session', async () => {
    const source = readOperation('DomainProfile');
    const { data, errors } = await run(services, source.replace(/^ +catchAll.*\n/m, ''), {
      name: 'accepts.test',
    });
    expect(errors).toBeUndefined();
    expect(data?.domain).toMatchObject({
      acceptsMail: true,
      mx: [{ exchange: { host: 'mx.accepts.test' } }],
      spf: { allQualifier: 'FAIL' },
      dmarc: { policy: 'REJECT' },
      tlsRpt: { record: expect.stringContaining('v=TLSRPTv1') },
    });
    // MX, and TXT of the name, _dmarc, _mta-sts and _smtp._tls: `provider` and `mx` share one question.
    expect(sent()).toEqual({ dns: 5, smtp: 0 });
    expect(sandbox.counts().smtpSessions).toBe(0);

    const { data: whole } = await run(services, source, { name: 'accepts.test' });
    expect(whole?.domain).toMatchObject({ catchAll: { answer: 'NO' } });
    expect(sandbox.counts().smtpSessions).toBe(1);
  });

  test('ExchangeProfile without greeting: DNS and no SMTP; with it: one session, remembered', async () => {
    const source = readOperation('ExchangeProfile');
    const variables = { host: 'mx.accepts.test' };
    const without = source.replace(/^ +greeting \{[\s\S]*?^ {4}\}\n/m, '');
    expect(without).not.toContain('greeting');
    const { data, errors } = await run(services, without, variables);
    expect(errors).toBeUndefined();
    expect(data?.mailExchange).toMatchObject({ host: 'mx.accepts.test', addresses: [{ family: 4 }] });
    expect(sent().smtp).toBe(0);
    expect(sandbox.counts().smtpSessions).toBe(0);

    for (const _ of ['asked', 'remembered']) {
      const { data: whole, errors: faults } = await run(services, source, variables);
      expect(faults).toBeUndefined();
      expect(whole?.mailExchange).toMatchObject({
        greeting: {
          isReachable: true,
          address: expect.stringMatching(/^127\./),
          banner: expect.any(String),
          capabilities: expect.arrayContaining(['PIPELINING']),
          supportsPipelining: true,
          reply: { code: 250 },
        },
      });
      expect(sandbox.counts().smtpSessions).toBe(1);
    }
    expect(sandbox.log('accepts.test').map(({ line }) => line)).not.toContainEqual(
      expect.stringMatching(/^(?:MAIL|RCPT)/i),
    );
  });

  test('WatchVerification: the stages, then the verdict, for the price of one verification', async () => {
    const stream = await watch(services, readOperation('WatchVerification'), {
      address: 'user1@accepts.test',
    });
    const events: Record<string, unknown>[] = [];
    for await (const { data, errors } of stream as AsyncIterable<ExecutionResult>) {
      expect(errors).toBeUndefined();
      events.push(data?.watchVerification as Record<string, unknown>);
    }
    expect(new Set(events.map(({ stage }) => stage))).toEqual(
      new Set(['SYNTAX', 'MEMORY', 'DNS', 'CONNECT', 'GREETING', 'EHLO', 'RCPT_TO', 'VERDICT']),
    );
    expect(events.at(-1)).toMatchObject({ verification: { reason: 'MAILBOX_EXISTS' } });
    expect(events.filter(({ verification }) => verification !== null)).toHaveLength(1);
    expect(events).toContainEqual(
      expect.objectContaining({ exchange: { host: 'mx.accepts.test' }, reply: expect.anything() }),
    );
    expect(sandbox.counts().smtpSessions).toBe(1);
  });

  test('VerifyEmail: one conversation for verification and mailbox, none the second time', async () => {
    const variables = { address: 'user1@accepts.test', maxAge: '7d' };
    const { data, errors } = await run(services, readOperation('VerifyEmail'), variables);
    expect(errors).toBeUndefined();
    expect(data?.email).toMatchObject({
      verification: { status: 'DELIVERABLE', reason: 'MAILBOX_EXISTS', fromCache: false },
      mailbox: {
        outcome: 'ACCEPTED',
        phase: 'RCPT_TO',
        isCatchAll: false,
        exchange: { host: 'mx.accepts.test' },
      },
    });
    const first = sent();
    expect(sandbox.counts().smtpSessions).toBe(1);
    expect(first.smtp).toBeLessThanOrEqual(6);
    const again = await run(services, readOperation('VerifyEmail'), variables);
    expect(again.data?.email).toMatchObject({ verification: { fromCache: true } });
    expect(sent()).toEqual(first);
  });

  test('VerifyEmails: twenty addresses of one domain, one conversation', async () => {
    const addresses = Array.from({ length: 20 }, (_, index) => `user${index}@accepts.test`);
    const { data, errors } = await run(services, readOperation('VerifyEmails'), { addresses });
    expect(errors).toBeUndefined();
    const emails = data?.emails as readonly { readonly verification: { readonly status: string } }[];
    const statuses = emails.map(({ verification }) => verification.status);
    expect(new Set(statuses)).toEqual(new Set(['DELIVERABLE']));
    expect(sandbox.counts().smtpSessions).toBeLessThanOrEqual(4);
    expect(sent().dns).toBeLessThanOrEqual(4);
  });

  test('a syntax fault costs nothing, a domain that is not there no SMTP', async () => {
    await run(services, readOperation('VerifyEmail'), { address: 'not an address' });
    expect(sent()).toEqual({ dns: 0, smtp: 0 });
    const { data } = await run(services, readOperation('VerifyEmail'), { address: 'user1@nowhere.example' });
    expect(data?.email).toMatchObject({ verification: { reason: 'DOMAIN_NOT_FOUND' }, mailbox: null });
    expect(sent().smtp).toBe(0);
  });
});

describe('the tabs that GraphiQL opens in the sandbox', () => {
  const names = readOperationTabs(true).map(({ name }) => name);

  test('there is one for each document, VerifyEmail first', () => {
    expect(names).toEqual([
      'VerifyEmail',
      'SyntaxOnly',
      'VerifyEmails',
      'WatchVerification',
      'DomainProfile',
      'ExchangeProfile',
      'CreateUpload',
      'StartBulkJob',
      'BulkJobProgress',
      'BulkJobResults',
      'BulkJob',
      'BulkJobs',
      'ControlBulkJob',
      'Gateway',
    ]);
  });

  test.each(names)('%s answers as it stands', async (name) => {
    const tabs = readOperationTabs(true, await prepareExamples(services.jobs));
    for (const { id } of (await services.jobs.list(everyJob)).items) jobs.advance(id, 3);
    const { query = '', variables = '{}' } = tabs.find((each) => each.name === name) ?? {};
    const ask = query.includes('subscription') ? firstOf : run;
    const operations = parse(query).definitions.map((each) =>
      'name' in each ? each.name?.value : undefined,
    );
    // Of several GraphiQL lets one choose; each is good, one after the other.
    for (const operation of operations) {
      const result = await ask(services, query, JSON.parse(variables), contextFor(services), operation);
      expect(result).not.toHaveProperty('errors');
      expect(Object.values(result.data ?? { nothing: null })).not.toContain(null);
      expect(JSON.stringify(result)).not.toMatch(/"(?:DNS_FAILURE|INTERNAL|HOST_UNREACHABLE|\w+Error)"/);
    }
  });
});

const everyJob = { limit: 100, afterId: null, owner: null, states: null, search: null };

/** The first event of a subscription. */
const firstOf: typeof run = async (services, query, variables) => {
  const stream = await watch(services, query, variables);
  if (!(Symbol.asyncIterator in stream)) return stream;
  const { value } = await stream.next();
  await stream.return?.();
  return value;
};
