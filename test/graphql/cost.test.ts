import { describe, expect, test } from 'vitest';
import { createFakeWorld } from './fakes.ts';
import { readOperation, run } from './run.ts';

const exchangeProfile = readOperation('ExchangeProfile');
const withoutGreeting = exchangeProfile.replace(/^ +greeting \{[\s\S]*?^ {4}\}\n/m, '');
const withoutCatchAll = readOperation('DomainProfile').replace(/^ +catchAll.*\n/m, '');

type Row = {
  readonly name: string;
  readonly source: string;
  readonly variables?: Record<string, unknown>;
  readonly dns: readonly string[];
  readonly commands: number;
};

/** What each operation may ask of the world: questions to DNS, in any order, and SMTP commands. */
const rows: readonly Row[] = [
  {
    name: 'SyntaxOnly',
    source: readOperation('SyntaxOnly'),
    variables: { address: 'ada@mail.test' },
    dns: [],
    commands: 0,
  },
  {
    name: 'the facts of a domain name',
    source: '{ domain(name: "mail.test") { id name unicodeName registrableDomain isDisposable isFree } }',
    dns: [],
    commands: 0,
  },
  {
    name: 'mx',
    source: '{ domain(name: "mail.test") { mx { exchange { host } } } }',
    dns: ['MX mail.test'],
    commands: 0,
  },
  {
    name: 'everything that MX tells',
    source:
      '{ domain(name: "mail.test") { exists acceptsMail isNullMx isImplicitMx mx { preference } dnsFailure } }',
    dns: ['MX mail.test'],
    commands: 0,
  },
  {
    name: 'spf',
    source: '{ domain(name: "mail.test") { spf { record } } }',
    dns: ['TXT mail.test'],
    commands: 0,
  },
  {
    name: 'tlsRpt',
    source: '{ domain(name: "mail.test") { tlsRpt { record } } }',
    dns: ['TXT _smtp._tls.mail.test'],
    commands: 0,
  },
  {
    name: 'ExchangeProfile without greeting',
    source: withoutGreeting,
    variables: { host: 'mx1.mail.test' },
    dns: ['A mx1.mail.test', 'PTR 192.0.2.1'],
    commands: 0,
  },
  {
    name: 'ExchangeProfile: one session, however often and by whatever name it is asked for',
    source: `{
      a: mailExchange(host: "mx1.mail.test") { greeting { banner } again: greeting { isReachable } }
      b: mailExchange(host: "MX1.mail.test") { greeting { reply { code } } }
    }`,
    dns: [],
    commands: 2,
  },
  {
    name: 'DomainProfile without catchAll',
    source: withoutCatchAll,
    variables: { name: 'mail.test' },
    dns: [
      // `provider` and `mx` ask separately; the resolver's own memory makes one question of it.
      'MX mail.test',
      'MX mail.test',
      'TXT mail.test',
      'TXT _dmarc.mail.test',
      'TXT _mta-sts.mail.test',
      'TXT _smtp._tls.mail.test',
    ],
    commands: 0,
  },
  {
    name: 'catchAll',
    source: '{ domain(name: "mail.test") { catchAll { answer } } }',
    dns: ['MX mail.test'],
    commands: 4,
  },
  {
    name: 'an exchange by its name',
    source: '{ mailExchange(host: "mx1.mail.test") { id host provider { name } } }',
    dns: [],
    commands: 0,
  },
  {
    name: 'the addresses of an exchange',
    source: '{ mailExchange(host: "mx1.mail.test") { addresses { ip family isRoutable } } }',
    dns: ['A mx1.mail.test'],
    commands: 0,
  },
  {
    name: 'verification and mailbox of one address',
    source: '{ email(address: "ada@mail.test") { verification { status } mailbox { outcome } } }',
    dns: ['MX mail.test'],
    commands: 4,
  },
  {
    name: 'one address three times',
    source: `{
      emails(addresses: ["ada@mail.test", "ada@mail.test"]) { verification { status } }
      again: email(address: "ada@mail.test") { mailbox { phase } }
    }`,
    dns: ['MX mail.test'],
    commands: 4,
  },
  {
    name: 'verification of what is no address',
    source: '{ email(address: "not an address") { verification { reason } mailbox { outcome } } }',
    dns: [],
    commands: 0,
  },
  {
    name: 'verification of a domain that takes no mail',
    source: '{ email(address: "ada@nullmx.test") { verification { reason } mailbox { outcome } } }',
    dns: ['MX nullmx.test'],
    commands: 0,
  },
  {
    name: 'gateway',
    source: '{ gateway { version isSandbox lanes(first: 5) { state } } }',
    dns: [],
    commands: 0,
  },
];

describe('you pay for what you select', () => {
  test.each(rows)('$name', async ({ source, variables, dns, commands }) => {
    const world = createFakeWorld();
    const { errors } = await run(world.services, source, variables);
    expect(errors).toBeUndefined();
    expect(world.dns.asked.toSorted()).toEqual(dns.toSorted());
    expect(world.prober.stats.commandsSent).toBe(commands);
  });

  test('a field left out by @include or @skip costs nothing', async () => {
    const world = createFakeWorld();
    const source = `query ($yes: Boolean!) {
      email(address: "ada@mail.test") { address verification @include(if: $yes) { status } mailbox @skip(if: true) { phase } }
    }`;
    await run(world.services, source, { yes: false });
    expect([world.dns.queriesSent, world.prober.stats.commandsSent]).toEqual([0, 0]);
  });

  test('another maxAge is another question; a remembered answer satisfies the second', async () => {
    const world = createFakeWorld();
    const source = `{ email(address: "ada@mail.test") {
      now: verification(maxAge: "0s") { fromCache }
      same: mailbox(maxAge: "0s") { outcome }
    } }`;
    await run(world.services, source);
    expect(world.prober.probed).toEqual(['ada@mail.test']);
    await run(
      world.services,
      '{ email(address: "ada@mail.test") { verification(maxAge: "7d") { fromCache } } }',
    );
    expect(world.prober.probed).toEqual(['ada@mail.test']);
    await run(world.services, source);
    expect(world.prober.probed).toEqual(['ada@mail.test', 'ada@mail.test']);
  });

  test('totalCount and breakdown are counted only when selected', async () => {
    const world = createFakeWorld();
    const { id } = world.jobs.fake.create(5, 'list');
    const counted: string[] = [];
    const services = {
      ...world.services,
      jobs: {
        ...world.services.jobs,
        countResults: async () => {
          counted.push('count');
          return 0;
        },
        breakdown: async () => {
          counted.push('breakdown');
          return { byReason: [], byProvider: [], byDomain: [] };
        },
      },
    };
    const bulkJob = (selection: string) =>
      run(services, `query ($id: ID!) { bulkJob(id: $id) { ${selection} } }`, {
        id: Buffer.from(`BulkJob:${id}`).toString('base64url'),
      });
    await bulkJob('state progress { total } results(first: 1) { pageInfo { hasNextPage } }');
    expect(counted).toEqual([]);
    await bulkJob('breakdown { byReason { count } byProvider { count } byDomain(first: 3) { count } }');
    expect(counted).toEqual(['breakdown']);
    await bulkJob('results(first: 1) { totalCount }');
    expect(counted).toEqual(['breakdown', 'count']);
  });
});
