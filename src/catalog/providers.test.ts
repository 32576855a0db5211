import { describe, expect, test } from 'vitest';
import { parseDomain, parseExchangeHost } from '../address/index.ts';
import { providerByDomain, providerByExchange, providerById, providers } from './index.ts';
import { providerRows } from './provider-rows.ts';

describe('whose exchange it is', () => {
  test.each([
    ['gmail-smtp-in.l.google.com', 'GMAIL'],
    ['alt3.gmail-smtp-in.l.google.com', 'GMAIL'],
    ['aspmx.l.google.com', 'GOOGLE_WORKSPACE'],
    ['ALT1.ASPMX.L.GOOGLE.COM.', 'GOOGLE_WORKSPACE'],
    ['aspmx2.googlemail.com', 'GOOGLE_WORKSPACE'],
    ['smtp.google.com', 'GOOGLE_WORKSPACE'],
    ['example-com.mail.protection.outlook.com', 'MICROSOFT_365'],
    ['example-com.p-v1.mx.microsoft', 'MICROSOFT_365'],
    ['outlook-com.olc.protection.outlook.com', 'OUTLOOK_COM'],
    ['mta5.am0.yahoodns.net', 'YAHOO'],
    ['mx-aol.mail.gm0.yahoodns.net', 'AOL'],
    ['mx01.mail.icloud.com', 'ICLOUD'],
    ['in1-smtp.messagingengine.com', 'FASTMAIL'],
    ['mail.protonmail.ch', 'PROTON'],
    ['mx.zoho.eu', 'ZOHO'],
    ['mx.yandex.net', 'YANDEX'],
    ['emx.mail.ru', 'MAIL_RU'],
    ['mx01.emig.gmx.net', 'GMX'],
    ['mx3.qq.com', 'QQ'],
    ['mxbiz1.qq.com', 'TENCENT_EXMAIL'],
    ['163mx01.mxmail.netease.com', 'NETEASE'],
    ['mxa-00112233.gslb.pphosted.com', 'PROOFPOINT'],
    ['mx1-us1.ppe-hosted.com', 'PROOFPOINT_ESSENTIALS'],
    ['us-smtp-inbound-1.mimecast.com', 'MIMECAST'],
    ['d123.a.ess.barracudanetworks.com', 'BARRACUDA'],
    ['mx1.hc123-45.eu.iphmx.com', 'CISCO_SECURE_EMAIL'],
    ['example.in.tmes.trendmicro.eu', 'TREND_MICRO'],
    ['mx-01-eu-central-1.prod.hydra.sophos.com', 'SOPHOS'],
    ['cust1-s.in.mailcontrol.com', 'FORCEPOINT'],
    ['cluster5.eu.messagelabs.com', 'MESSAGELABS'],
    ['mx01.hornetsecurity.com', 'HORNETSECURITY'],
    ['mx.spamexperts.com', 'SPAMEXPERTS'],
    ['mx00.ionos.de', 'IONOS'],
    ['mx1.mail.ovh.net', 'OVH'],
    ['mx1.emailsrvr.com', 'RACKSPACE'],
    ['mailstore1.secureserver.net', 'GODADDY'],
    ['mx1.privateemail.com', 'PRIVATE_EMAIL'],
    ['spool.mail.gandi.net', 'GANDI'],
    ['inbound-smtp.eu-west-1.amazonaws.com', 'AMAZON'],
    ['route2.mx.cloudflare.net', 'CLOUDFLARE_EMAIL_ROUTING'],
    ['mailstream-east.mxrecord.io', 'CLOUDFLARE_EMAIL_SECURITY'],
    ['mx1.improvmx.com', 'IMPROVMX'],
    ['mx1.forwardemail.net', 'FORWARD_EMAIL'],
    ['mail.tutanota.de', 'TUTA'],
    ['mxext1.mailbox.org', 'MAILBOX_ORG'],
    ['mx01.posteo.de', 'POSTEO'],
    ['aspmx1.migadu.com', 'MIGADU'],
    ['mx1.titan.email', 'TITAN'],
    ['mx1.hostinger.com', 'HOSTINGER'],
    ['mx1.naver.com', 'NAVER'],
    ['mx1.hanmail.net', 'DAUM'],
    ['mx00.t-online.de', 'T_ONLINE'],
    ['smtp-in.orange.fr', 'ORANGE_FR'],
    ['mx1.free.fr', 'FREE_FR'],
    ['smtp-in.libero.it', 'LIBERO'],
    ['smtp.rzone.de', 'STRATO'],
  ])('%s: %s', (host, id) => {
    expect(providerByExchange(host)?.id).toBe(id);
  });

  test.each([
    ['mx.example.com'],
    ['notpphosted.com'],
    ['pphosted.com.example.org'],
    ['ec2-192-0-2-1.compute.amazonaws.com'],
    ['inbound-smtp.a.b.amazonaws.com'],
    ['com'],
    [''],
    ['.'],
  ])('%j: nobody’s', (host) => {
    expect(providerByExchange(host)).toBeNull();
  });
});

test.each([
  ['gmail.com', 'GMAIL'],
  ['outlook.de', 'OUTLOOK_COM'],
  ['ya.ru', 'YANDEX'],
  ['pm.me', 'PROTON'],
  ['example.com', null],
  ['mail.gmail.com', null],
])('who gives mailboxes in %s: %s', (text, id) => {
  const parsed = parseDomain(text);
  expect(parsed.kind === 'domain' ? (providerByDomain(parsed.domain)?.id ?? null) : 'fault').toBe(id);
});

describe('the tables', () => {
  test('ids are upper case and of one row; each id finds its row', () => {
    for (const provider of providers) {
      expect(provider.id).toMatch(/^[A-Z][A-Z0-9_]+$/);
      expect(providerById(provider.id)).toBe(provider);
    }
    expect(new Set(providers.map(({ id }) => id)).size).toBe(providers.length);
    expect(providerById('NOBODY')).toBeNull();
  });

  test('no domain and no exchange is of two rows', () => {
    const domains = providerRows.flatMap((row) => row.domains ?? []);
    const exchanges = providerRows.flatMap((row) => row.exchanges);
    expect(domains.filter((name, i) => domains.indexOf(name) !== i)).toEqual([]);
    expect(exchanges.filter((name, i) => exchanges.indexOf(name) !== i)).toEqual([]);
  });

  test.each(providerRows.map((row) => [row.id, row] as const))('%s', (_, row) => {
    for (const name of row.domains ?? []) expect(parseDomain(name)).toMatchObject({ domain: name });
    for (const name of row.exchanges) expect(parseExchangeHost(name.replace('*', 'region'))).not.toBeNull();
    expect(row.exchanges.length + (row.domains ?? []).length).toBeGreaterThan(0);
    // A note says where its facts can be seen.
    expect(row.note).toMatch(/https:\/\/|MX (of|below|\S+\.\S+)/);
    for (const name of row.exchanges) expect(providerByExchange(name.replace('*', 'region'))).toBe(row);
  });
});
