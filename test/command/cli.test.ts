import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runRcpt, startRcpt } from './process.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rcpt-cli-'));
});
afterAll(() => rm(dir, { recursive: true }));

const verify = (address: string, ...more: string[]) =>
  runRcpt(['verify', '--sandbox', ...more, '--', address]);

describe('rcpt verify', () => {
  test.each([
    ['anna@accepts.test', 0, 'DELIVERABLE  MAILBOX_EXISTS'],
    ['nobody@accepts.test', 1, 'UNDELIVERABLE  MAILBOX_NOT_FOUND'],
    ['anna@catch-all.test', 2, 'RISKY  CATCH_ALL'],
    ['anna@blocked-at-rcpt.test', 3, 'UNKNOWN  PROBER_BLOCKED'],
    ['', 1, 'UNDELIVERABLE  INVALID_SYNTAX'],
    ['no at sign', 1, 'UNDELIVERABLE  INVALID_SYNTAX'],
  ])('%j exits with %d and says %s', async (address, code, verdict) => {
    const run = await verify(address);
    expect(run).toMatchObject({ code, out: expect.stringContaining(verdict) });
  });

  test('the transcript is plain where there is no terminal, and control characters never reach one', async () => {
    const { out } = await verify('anna@accepts.test');
    expect(out).toContain('> RCPT TO:<anna@accepts.test>');
    expect(out).not.toContain('\u001b');
    const nasty = await verify('\u001b[31m\u202eanna@accepts.test');
    expect(nasty.out).toContain('\\u001b[31m\\u202eanna@accepts.test');
    for (const control of ['\u001b', '\u202e']) expect(nasty.out).not.toContain(control);
  });

  test('the sandbox goes through no proxy and leaves from no set address', async () => {
    const { code } = await runRcpt(['verify', '--sandbox', 'user1@accepts.test'], {
      env: { RCPT_PROXY: 'socks5://127.0.0.1:1' },
    });
    expect(code).toBe(0);
  });

  test('--json is one JSON value with verdict and evidence', async () => {
    const { code, out } = await verify('nobody@accepts.test', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      address: 'nobody@accepts.test',
      isSimulated: true,
      status: 'UNDELIVERABLE',
      evidence: { kind: 'probe', probe: { phase: 'RCPT_TO', reply: { code: 550, enhancedCode: '5.1.1' } } },
    });
  });
});

describe('a wrong call or a bad setting is one clear line', () => {
  test.each([
    ['an unknown command', ['frobnicate'], {}, 64, 'unknown command'],
    ['no address', ['verify'], {}, 64, "missing required argument 'address'"],
    ['an unknown option', ['verify', '--fast', 'a@b.test'], {}, 64, "unknown option '--fast'"],
    ['a bad port', ['serve'], { RCPT_PORT: 'http' }, 78, 'RCPT_PORT: expected a whole number'],
    ['a misspelt setting', ['serve'], { RCPT_SMPT_PORT: '25' }, 78, 'RCPT_SMPT_PORT is not a setting'],
    ['a public host', ['serve'], { RCPT_HOST: '0.0.0.0' }, 78, 'RCPT_HOST: 0.0.0.0 is not loopback'],
    ['an unwritable data dir', ['serve'], { RCPT_DATA_DIR: '/dev/null/data' }, 74, '/dev/null/data'],
    ['a list that is not there', ['bulk', '/no/such/list.csv'], {}, 74, '/no/such/list.csv'],
  ])('%s', async (_, args, env, code, message) => {
    const run = await runRcpt(args, { env, cwd: dir });
    expect(run).toMatchObject({ code, err: expect.stringContaining(message) });
    expect(run.err).not.toMatch(/^\s+at /m);
  });

  test('a second process on the same data dir', async () => {
    const env = { RCPT_DATA_DIR: join(dir, 'shared') };
    const first = await startRcpt('serve', env);
    try {
      const second = await runRcpt(['serve'], { env: { ...env, RCPT_PORT: '0' } });
      expect(second).toMatchObject({ code: 74, err: expect.stringContaining('in use by another process') });
    } finally {
      await first.stop('SIGTERM');
    }
    expect(first.child.exitCode).toBe(0);
  });

  test('a port that is taken', async () => {
    const first = await startRcpt('serve', { RCPT_DATA_DIR: join(dir, 'one') });
    try {
      const { port } = new URL(first.url);
      const second = await runRcpt(['serve'], { env: { RCPT_DATA_DIR: join(dir, 'two'), RCPT_PORT: port } });
      expect(second).toMatchObject({ code: 74, err: expect.stringContaining('EADDRINUSE') });
    } finally {
      await first.stop('SIGINT');
    }
  });
});

describe('rcpt bulk', () => {
  const bulk = async (list: string | Uint8Array, ...more: string[]) => {
    const own = await mkdtemp(join(dir, 'bulk-'));
    await writeFile(join(own, 'list.csv'), list);
    const run = await runRcpt(['bulk', '--sandbox', 'list.csv', '-o', 'results.csv', ...more], { cwd: own });
    const files = await readdir(own);
    const results = files.includes('results.csv') ? await readFile(join(own, 'results.csv'), 'utf8') : null;
    return { ...run, files, results };
  };
  const rowsOf = (csv: string | null) => (csv ?? '').trimEnd().split('\r\n');

  test("the list's own columns and ours, in its order", async () => {
    const { code, err, results } = await bulk(
      'Name;E-Mail\r\nAnna;anna@accepts.test\r\nNobody;nobody@accepts.test\r\n=1+1;anna@ACCEPTS.test\r\nBroken;anna at accepts\r\n',
    );
    expect(code).toBe(0);
    expect(err).toContain('4/4');
    expect(rowsOf(results).map((row) => row.split(',').slice(0, 4).join(','))).toEqual([
      'Name,E-Mail,status,reason',
      'Anna,anna@accepts.test,DELIVERABLE,MAILBOX_EXISTS',
      'Nobody,nobody@accepts.test,UNDELIVERABLE,MAILBOX_NOT_FOUND',
      "'=1+1,anna@ACCEPTS.test,DELIVERABLE,MAILBOX_EXISTS",
      'Broken,anna at accepts,UNDELIVERABLE,INVALID_SYNTAX',
    ]);
  });

  test('UTF-16 with a byte order mark and a header in another language', async () => {
    const { code, results } = await bulk(
      Buffer.from('\ufeffИмя;Почта\r\nАнна;anna@accepts.test\r\n', 'utf16le'),
    );
    expect(code).toBe(0);
    expect(rowsOf(results)[1]).toMatch(/^Анна,anna@accepts\.test,DELIVERABLE,/);
  });

  test.each([
    ['an empty file', ''],
    ['a binary file', Uint8Array.from({ length: 2_000 }, (_, n) => (n * 197) % 256)],
    ['no address column', 'name,city\nAnna,Berlin\nBob,Paris\n'],
  ])('%s is one clear line, and nothing is left behind', async (_, list) => {
    const { code, err, files } = await bulk(list);
    expect(code).toBe(74);
    expect(err).toMatch(/^rcpt: .+\n$/);
    expect(files).toEqual(['list.csv']);
  });

  test('a column that is not there', async () => {
    const { code, err } = await bulk('mail\nanna@accepts.test\n', '--column', 'address');
    expect(code).toBe(74);
    expect(err).toContain('no such column. It has "mail"');
  });

  test('an output that cannot be written costs nobody a probe', async () => {
    await writeFile(join(dir, 'list.txt'), 'anna@accepts.test\n');
    const run = await runRcpt(['bulk', '--sandbox', join(dir, 'list.txt'), '-o', '/dev/null/results.csv']);
    expect(run).toMatchObject({ code: 74, err: expect.stringContaining('/dev/null/results.csv') });
  });
});
