import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig, refuseOpenHost } from './config.ts';
import { printSettingsTable, type settings } from './config-settings.ts';
import { drawKey } from './keys/index.ts';

test('an empty environment gives the documented defaults', () => {
  expect(readConfig({ RCPT_HELO_NAME: 'probe.example.org' })).toEqual({
    source: hostname(),
    limitScope: 'source',
    host: '127.0.0.1',
    port: 4000,
    isInsecureAllowed: false,
    dataDir: './data',
    database: null,
    databaseConnections: 10,
    workerChunks: 4,
    workerRows: 128,
    dnsServers: [],
    smtpPort: 25,
    heloName: 'probe.example.org',
    mailFrom: '',
    allowHosts: [],
    maxSessions: 200,
    maxSessionsPerExchange: 4,
    maxProbesPerSecondPerExchange: 20,
    timeoutMs: 15_000,
    greylistRetrySeconds: [300, 900, 3_600],
    harvestLimit: 50,
    sourceIps: [],
    proxy: null,
    retentionSeconds: 2_592_000,
    shutdownDelaySeconds: 0,
    maxUploadBytes: 1_073_741_824,
    maxRows: 1_000_000,
    isFederated: false,
    corsOrigins: [],
    trustedProxies: [],
    apiKey: null,
    persistedOperations: null,
    isPersistedOnly: false,
    isGraphiqlOn: true,
    isIntrospectionOn: true,
  });
});

test('without a name of our own, EHLO still gets one that is not localhost', () => {
  expect(readConfig({}).heloName).toMatch(/^(\[[\d.]+\]|[^.]+\..+)$/);
  expect(readConfig({}).heloName).not.toContain('localhost');
});

test.each([
  ['RCPT_PORT', '0', 'port', 0],
  [
    'RCPT_DNS_SERVERS',
    '127.0.0.1:5353, [::1]:53,9.9.9.9',
    'dnsServers',
    ['127.0.0.1:5353', '[::1]:53', '9.9.9.9'],
  ],
  ['RCPT_ALLOW_HOSTS', '127.0.0.0/8,::1', 'allowHosts', ['127.0.0.0/8', '::1/128']],
  ['RCPT_MAIL_FROM', '<probe@Bücher.example>', 'mailFrom', 'probe@xn--bcher-kva.example'],
  ['RCPT_MAIL_FROM', '<>', 'mailFrom', ''],
  ['RCPT_HELO_NAME', '[192.0.2.1]', 'heloName', '[192.0.2.1]'],
  ['RCPT_GREYLIST_RETRY', '1m,PT1H', 'greylistRetrySeconds', [60, 3_600]],
  ['RCPT_HARVEST_LIMIT', '0', 'harvestLimit', 0],
  [
    'RCPT_CORS_ORIGINS',
    'https://app.example, http://localhost:5173',
    'corsOrigins',
    ['https://app.example', 'http://localhost:5173'],
  ],
  ['RCPT_TRUSTED_PROXIES', '10.0.0.0/8, fd00::1', 'trustedProxies', ['10.0.0.0/8', 'fd00::1/128']],
  ['RCPT_MAX_PROBES_PER_SECOND_PER_EXCHANGE', '0', 'maxProbesPerSecondPerExchange', 0],
  ['RCPT_SOURCE', '192.0.2.1', 'source', '192.0.2.1'],
  ['RCPT_SOURCE_IPS', '127.0.0.3,127.0.0.2', 'source', '127.0.0.2,127.0.0.3'],
  ['RCPT_PROXY', 'socks5://secret-user:secret@proxy.example:1080', 'source', 'proxy.example'],
  ['RCPT_LIMIT_SCOPE', 'cluster', 'limitScope', 'cluster'],
])('%s=%s is understood', (name, text, key, value) => {
  expect(readConfig({ [name]: text })[key as keyof typeof settings]).toEqual(value);
});

test.each([
  ['RCPT_PORT', '65536'],
  ['RCPT_PORT', '-1'],
  ['RCPT_PORT', '4000x'],
  ['RCPT_PORT', ''],
  ['RCPT_INSECURE', 'yes'],
  ['RCPT_DNS_SERVERS', 'resolver.example'],
  ['RCPT_DNS_SERVERS', '127.0.0.1:99999'],
  ['RCPT_HELO_NAME', 'localhost'],
  ['RCPT_HELO_NAME', 'mail.localdomain'],
  ['RCPT_HELO_NAME', 'two words.example'],
  ['RCPT_HELO_NAME', 'a.example\r\nRSET'],
  ['RCPT_MAIL_FROM', 'nobody'],
  ['RCPT_MAIL_FROM', 'a@b.example>\r\nRCPT TO:<c@d.example'],
  ['RCPT_ALLOW_HOSTS', '10.0.0.0/33'],
  ['RCPT_MAX_SESSIONS', '0'],
  ['RCPT_GREYLIST_RETRY', 'soon'],
  ['RCPT_HARVEST_LIMIT', '-1'],
  ['RCPT_RETENTION', '1y'],
  ['RCPT_SHUTDOWN_DELAY', '1h'],
  ['RCPT_MAX_UPLOAD_BYTES', '1gb'],
  ['RCPT_MAX_ROWS', '0'],
  ['RCPT_FEDERATION', 'yes'],
  ['RCPT_MAX_SESSION', '10'],
  ['RCPT_SOURCE', 'two words'],
  ['RCPT_SOURCE', 'x'.repeat(101)],
  ['RCPT_LIMIT_SCOPE', 'node'],
  ['RCPT_LIMIT_SCOPE', ''],
  ['RCPT_SOURCE_IPS', 'eth0'],
  ['RCPT_SOURCE_IPS', '127.0.0.1,192.0.2.1'],
  ['RCPT_SOURCE_IPS', '0.0.0.0'],
  ['RCPT_SOURCE_IPS', '2001:db8::1'],
  ['RCPT_SOURCE_IPS', '127.0.0.1,,127.0.0.2'],
  ['RCPT_PROXY', 'http://127.0.0.1:1080'],
  ['RCPT_PROXY', 'socks5://127.0.0.1'],
  ['RCPT_PROXY', 'socks5://:1080'],
  ['RCPT_PROXY', 'socks5://127.0.0.1:99999'],
  ['RCPT_PROXY', 'socks5://secret-user@127.0.0.1:1080'],
  ['RCPT_PROXY', 'socks5://secret-user:secret%zz@127.0.0.1:1080'],
  ['RCPT_PROXY', `socks5://secret-user:${'secret'.repeat(50)}@127.0.0.1:1080`],
  ['RCPT_PROXY', 'socks5://secret-user:secret@127.0.0.1:1080/path'],
  ['RCPT_PROXY', 'secret-user:secret@127.0.0.1:1080'],
  ['DATABASE_URL', 'mysql://secret-user:secret@localhost/rcpt'],
  ['DATABASE_URL', 'localhost'],
  ['RCPT_DATABASE_CONNECTIONS', '1'],
  ['RCPT_WORKER_CHUNKS', '-1'],
  ['RCPT_WORKER_ROWS', '0'],
  ['RCPT_CORS_ORIGINS', '*'],
  ['RCPT_CORS_ORIGINS', 'null'],
  ['RCPT_CORS_ORIGINS', 'app.example'],
  ['RCPT_CORS_ORIGINS', 'https://app.example/'],
  ['RCPT_CORS_ORIGINS', 'https://App.example'],
  ['RCPT_CORS_ORIGINS', 'https://app.example:443'],
  ['RCPT_CORS_ORIGINS', 'ftp://app.example'],
  ['RCPT_CORS_ORIGINS', 'https://app.example,'],
  ['RCPT_TRUSTED_PROXIES', 'proxy.example'],
  ['RCPT_TRUSTED_PROXIES', '10.0.0.0/8,'],
  ['RCPT_API_KEY', 'rcpt_sk_secret'],
  ['RCPT_PERSISTED_ONLY', '1'],
  ['RCPT_GRAPHIQL', 'off'],
  ['RCPT_INTROSPECTION', 'no'],
])('%s=%j stops the start with one line that names it', (name, text) => {
  const attempt = () => readConfig({ [name]: text });
  expect(attempt).toThrow(ConfigError);
  expect(attempt).toThrow(name);
  expect(attempt).not.toThrow(/\n|secret/);
});

test('a bad source address is named', () => {
  expect(() => readConfig({ RCPT_SOURCE_IPS: '127.0.0.1,192.0.2.1' })).toThrow('192.0.2.1');
});

test('sources are addresses of this machine, each once', () => {
  expect(readConfig({ RCPT_SOURCE_IPS: '127.0.0.2, 127.0.0.3,127.0.0.2' }).sourceIps).toEqual([
    '127.0.0.2',
    '127.0.0.3',
  ]);
});

test.each([
  ['socks5://127.0.0.1:1080', '127.0.0.1', null],
  ['socks5://[::1]:1080', '::1', null],
  [
    'socks5://secret-user:p%40ss@proxy.example:1080',
    'proxy.example',
    { user: 'secret-user', password: 'p@ss' },
  ],
])('RCPT_PROXY=%s is understood, and no dump shows who we are to it', (text, host, credentials) => {
  const config = readConfig({ RCPT_PROXY: text });
  expect(config.proxy).toMatchObject({ host, port: 1080 });
  expect(config.proxy?.readCredentials()).toEqual(credentials);
  for (const dump of [JSON.stringify(config), inspect(config, { depth: 9, showHidden: true })])
    expect(dump).not.toMatch(/secret|p@ss|p%40ss/);
});

test('DATABASE_URL is understood, and no dump shows its password', () => {
  const config = readConfig({ DATABASE_URL: 'postgres://rcpt:secret@db.example:5432/rcpt' });
  expect(config.database?.readUrl()).toBe('postgres://rcpt:secret@db.example:5432/rcpt');
  for (const dump of [JSON.stringify(config), inspect(config, { depth: 9, showHidden: true })])
    expect(dump).not.toContain('secret');
});

test('sources and a proxy contradict each other', () => {
  expect(() => readConfig({ RCPT_SOURCE_IPS: '127.0.0.1', RCPT_PROXY: 'socks5://127.0.0.1:1080' })).toThrow(
    'RCPT_SOURCE_IPS',
  );
});

test('RCPT_API_KEY is understood, and no dump shows it', () => {
  const { text } = drawKey(
    {
      name: 'a',
      scopes: ['bulk'],
      origins: [],
      pointsPerMinute: null,
      expiresAt: null,
      isPersistedOnly: false,
    },
    new Date(),
  );
  const config = readConfig({ RCPT_API_KEY: text });
  expect(config.apiKey?.read()).toBe(text);
  for (const dump of [JSON.stringify(config), inspect(config, { depth: 9, showHidden: true })])
    expect(dump).not.toContain(text);
});

describe('a host that is not loopback', () => {
  const open = { RCPT_HOST: '0.0.0.0' };
  test.each([
    ['with neither a key nor a word', open, false],
    ['in IPv6', { RCPT_HOST: '::' }, false],
    ['by name', { RCPT_HOST: 'rcpt.example' }, false],
  ])('%s is refused in one line', (_name, env, hasKeys) => {
    const attempt = () => refuseOpenHost(readConfig(env), hasKeys);
    expect(attempt).toThrow(ConfigError);
    expect(attempt).toThrow(/^RCPT_HOST: .*\(rcpt keys create .*\)$/);
  });

  test.each([
    ['with keys', open, true],
    ['when that is asked for', { ...open, RCPT_INSECURE: '1' }, false],
    ['and is none', { RCPT_HOST: '::1' }, false],
    ['and is none, by number', { RCPT_HOST: '127.8.8.8' }, false],
  ])('%s is served', (_name, env, hasKeys) => {
    expect(() => refuseOpenHost(readConfig(env), hasKeys)).not.toThrow();
  });
});

test("the README's table of settings is this one", () => {
  expect(readFileSync('README.md', 'utf8')).toContain(printSettingsTable());
});
