import { describe, expect, it } from 'vitest';
import { lookupDmarc, lookupSpf, lookupTlsRpt } from '../../../src/dns/index.ts';
import type { ZoneEntry, Zones } from '../../../src/sandbox/dns-server.ts';
import { domain, openWorld, patienceFor, patient, questionsOf } from '../world.ts';

const txt = (...records: string[]): ZoneEntry => ({ txt: records });

describe('lookupSpf', () => {
  const zones: Zones = {
    'plain.test': txt('verification=1', 'v=spf1 include:x.test ~all'),
    'none.test': txt('v=spf10 -all', 'something else'),
    'two.test': txt('v=spf1 -all', 'v=spf1 ~all'),
    'bad.test': txt('v=spf1 ipv4:192.0.2.1 -all'),
    'open.test': txt('v=spf1 mx'),
    'joined.test': { txt: [['v=spf1 ip4:192.0.2.', '1 -all']] },
    'redirected.test': txt('v=spf1 redirect=plain.test'),
    'to-nobody.test': txt('v=spf1 redirect=none.test'),
    'to-bad.test': txt('v=spf1 redirect=bad.test'),
    'to-two.test': txt('v=spf1 redirect=two.test'),
    'to-failing.test': txt('v=spf1 redirect=servfail.test'),
    'to-macro.test': txt('v=spf1 redirect=%{l}.x.test'),
    'circle.test': txt('v=spf1 redirect=elcric.test'),
    'elcric.test': txt('v=spf1 redirect=circle.test'),
    ...Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [
        `hop${index}.test`,
        txt(`v=spf1 redirect=hop${index + 1}.test`),
      ]),
    ),
    'heavy.test': txt('v=spf1 a mx include:a.test include:b.test redirect=heavier.test'),
    'heavier.test': txt('v=spf1 a mx ptr include:a.test include:b.test include:c.test -all'),
    'servfail.test': { behaviour: 'SERVFAIL' },
    'silent.test': { behaviour: 'SILENCE' },
  };
  const rows: [string, object | null][] = [
    [
      'plain.test',
      { record: 'v=spf1 include:x.test ~all', isValid: true, allQualifier: 'SOFTFAIL', problem: null },
    ],
    ['none.test', null],
    ['nowhere.test', null],
    [
      'two.test',
      {
        record: 'v=spf1 -all\nv=spf1 ~all',
        isValid: false,
        allQualifier: null,
        problem: expect.stringContaining('more than one'),
      },
    ],
    ['bad.test', { isValid: false, allQualifier: null, problem: expect.stringContaining('ipv4') }],
    ['open.test', { isValid: true, allQualifier: 'NEUTRAL', problem: null }],
    ['joined.test', { record: 'v=spf1 ip4:192.0.2.1 -all', isValid: true, allQualifier: 'FAIL' }],
    [
      'redirected.test',
      { record: 'v=spf1 redirect=plain.test', isValid: true, allQualifier: 'SOFTFAIL', problem: null },
    ],
    [
      'to-nobody.test',
      { isValid: false, allQualifier: null, problem: expect.stringContaining('without an SPF record') },
    ],
    ['to-bad.test', { isValid: false, problem: expect.stringMatching(/redirects to.*ipv4/) }],
    ['to-two.test', { isValid: false, problem: expect.stringMatching(/redirects to.*more than one/) }],
    ['to-failing.test', { isValid: true, allQualifier: null, problem: expect.stringContaining('SERVFAIL') }],
    [
      'to-macro.test',
      { isValid: true, allQualifier: null, problem: expect.stringContaining('depends on the sender') },
    ],
    ['circle.test', { isValid: false, problem: expect.stringContaining('circle') }],
    ['hop0.test', { isValid: false, problem: expect.stringContaining('11 terms') }],
    ['heavy.test', { isValid: false, problem: expect.stringContaining('11 terms') }],
    ['servfail.test', { kind: 'failure', failure: 'SERVFAIL' }],
    ['silent.test', { kind: 'failure', failure: 'TIMEOUT' }],
  ];
  it.each(rows)('%s', async (name, expected) => {
    const { dns, server } = await openWorld(zones, patienceFor(zones[name]));
    const found = await lookupSpf(dns, domain(name), patient);
    if (expected === null) expect(found).toBeNull();
    else expect(found).toMatchObject(expected);
    expect(server.queries).toBeLessThanOrEqual(11);
  });
});

describe('lookupDmarc', () => {
  const zones: Zones = {
    '_dmarc.plain.test': txt('v=DMARC1; p=reject; rua=mailto:a@plain.test'),
    '_dmarc.sub.test': txt('v=DMARC1;p=quarantine;sp=none'),
    '_dmarc.own.sub.test': txt('v=DMARC1; p=none'),
    '_dmarc.failing.sub.test': { behaviour: 'SERVFAIL' },
    '_dmarc.other.sub.test': txt('a record of somebody else', 'v=dmarc1; p=reject'),
    '_dmarc.two.test': txt('v=DMARC1; p=none', 'v=DMARC1; p=reject'),
    '_dmarc.no-p.test': txt('v=DMARC1; rua=mailto:a@x.test'),
    '_dmarc.no-p-no-rua.test': txt('v=DMARC1; pct=50'),
    '_dmarc.bad-p.test': txt('v=DMARC1; p=refuse; rua=mailto:a@x.test!10m,https://x.test/r'),
    '_dmarc.bad-sp.test': txt('v=DMARC1; p=reject; sp=all'),
    '_dmarc.bad-pct.test': txt('v=DMARC1; p=reject; pct=101'),
    '_dmarc.bad-rua.test': txt('v=DMARC1; p=reject; rua=a@x.test'),
    '_dmarc.bad-part.test': txt('v=DMARC1; p=reject; what is this'),
    '_dmarc.twice.test': txt('v=DMARC1; p=reject; p=none'),
    '_dmarc.all-tags.test': txt(
      'v = DMARC1 ; P = Reject ; sp=NONE; adkim=s; aspf=r; pct=100; fo=0:1:d:s; rf=afrf; ri=86400; rua=mailto:a@x.test, mailto:b@x.test; ruf=mailto:c@x.test; np=reject; constructor=1;',
    ),
    '_dmarc.bare.test': txt('v=DMARC1'),
    '_dmarc.prefix.test': txt('v=DMARC10; p=reject'),
  };
  const registrable = (name: string) => (name === 'test' ? null : name.split('.').slice(-2).join('.'));
  const record = (
    isValid: boolean,
    policy: string | null,
    subdomainPolicy: string | null,
    problem: unknown = null,
  ) => ({
    kind: 'policy',
    isValid,
    policy,
    subdomainPolicy,
    problem,
  });
  const rows: [string, object | null][] = [
    [
      'plain.test',
      {
        ...record(true, 'REJECT', 'REJECT'),
        domain: 'plain.test',
        record: 'v=DMARC1; p=reject; rua=mailto:a@plain.test',
      },
    ],
    ['sub.test', record(true, 'QUARANTINE', 'NONE')],
    ['own.sub.test', { ...record(true, 'NONE', 'NONE'), domain: 'own.sub.test' }],
    ['missing.sub.test', { ...record(true, 'QUARANTINE', 'NONE'), domain: 'sub.test' }],
    ['other.sub.test', { domain: 'sub.test' }],
    ['failing.sub.test', { kind: 'failure', failure: 'SERVFAIL' }],
    ['nowhere.test', null],
    ['test', null],
    ['prefix.test', null],
    ['two.test', record(false, null, null, expect.stringContaining('more than one'))],
    ['no-p.test', record(false, 'NONE', 'NONE', expect.stringContaining('"p" is missing'))],
    ['no-p-no-rua.test', record(false, null, null, expect.stringContaining('"p" is missing'))],
    ['bad-p.test', record(false, 'NONE', 'NONE', expect.stringContaining('"p"'))],
    ['bad-sp.test', record(false, null, null, expect.stringContaining('"sp"'))],
    ['bad-pct.test', record(false, 'REJECT', 'REJECT', expect.stringContaining('"pct"'))],
    ['bad-rua.test', record(false, 'REJECT', 'REJECT', expect.stringContaining('"rua"'))],
    ['bad-part.test', record(false, 'REJECT', 'REJECT', expect.stringContaining('tag=value'))],
    ['twice.test', record(false, 'REJECT', 'REJECT', expect.stringContaining('twice'))],
    ['all-tags.test', record(true, 'REJECT', 'NONE')],
    ['bare.test', record(false, null, null, expect.stringContaining('missing'))],
  ];
  it.each(rows)('%s', async (name, expected) => {
    const { dns } = await openWorld(zones);
    const found = await lookupDmarc(dns, domain(name), registrable, patient);
    if (expected === null) expect(found).toBeNull();
    else expect(found).toMatchObject(expected);
  });

  it('asks once for an organisational domain, and nobody for a name that is too long', async () => {
    const { dns, server } = await openWorld(zones);
    await lookupDmarc(dns, domain('plain.test'), registrable, patient);
    expect(questionsOf(server)).toEqual(['TXT _dmarc.plain.test']);
    const long = domain(
      `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.plain.test`.slice(-250),
    );
    expect(await lookupDmarc(dns, long, () => null, patient)).toBeNull();
    expect(server.queries).toBe(1);
  });
});

describe('lookupTlsRpt', () => {
  const zones: Zones = {
    '_smtp._tls.good.test': txt('v=TLSRPTv1; rua=mailto:a@x.test', 'noise'),
    '_smtp._tls.two.test': txt('v=TLSRPTv1; rua=mailto:a@x.test', 'v=TLSRPTv1; rua=mailto:b@x.test'),
    '_smtp._tls.other.test': txt('v=TLSRPTv2; rua=mailto:a@x.test'),
    '_smtp._tls.refused.test': { behaviour: 'REFUSED' },
  };
  it.each([
    ['good.test', { kind: 'policy', record: 'v=TLSRPTv1; rua=mailto:a@x.test' }],
    ['two.test', null],
    ['other.test', null],
    ['nowhere.test', null],
    ['refused.test', { kind: 'failure', failure: 'REFUSED' }],
  ])('%s', async (name, expected) => {
    const { dns } = await openWorld(zones);
    expect(await lookupTlsRpt(dns, domain(name), patient)).toEqual(expected);
  });
});
