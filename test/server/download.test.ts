import { describe, expect, test } from 'vitest';
import { createLinks } from '../../src/server/link.ts';
import { createTestServer, get, post } from './gateway.ts';

const linksOf = async (server: ReturnType<typeof createTestServer>['server'], id: string) => {
  const response = await post(server, {
    query:
      'query ($id: ID!) { bulkJob(id: $id) { csv: resultsUrl(format: CSV) ndjson: resultsUrl(format: NDJSON) } }',
    variables: { id: Buffer.from(`BulkJob:${id}`).toString('base64url') },
  });
  const { data } = (await response.json()) as { data: { bulkJob: { csv: string; ndjson: string } } };
  return data.bulkJob;
};

const pathOf = (url: string) => url.slice('http://127.0.0.1:4000'.length);

describe('links to results', () => {
  test('CSV, in the order of the list, formulas made harmless, unsettled rows without verdict', async () => {
    const { server, world } = createTestServer();
    const { id } = world.jobs.fake.create(4, null);
    world.jobs.fake.advance(id, 3);
    const { csv } = await linksOf(server, id);
    const response = await get(server, pathOf(csv));
    expect(response.headers.get('content-type')).toMatch(/^text\/csv; charset=utf-8/);
    expect(response.headers.get('content-disposition')).toBe(`attachment; filename="results-${id}.csv"`);
    expect((await response.text()).split('\r\n')).toEqual([
      'address,status,reason,score,duplicate_of,provider,exchange,reply_code,reply_enhanced_code,reply_text,checked_at',
      'user1@mail.test,DELIVERABLE,MAILBOX_EXISTS,95,,,mx1.mail.test,250,2.1.5,Ok,2030-01-01T00:00:00.000Z',
      "'=1+1@mail.test,UNDELIVERABLE,MAILBOX_NOT_FOUND,2,,,mx1.mail.test,250,2.1.5,Ok,2030-01-01T00:00:00.000Z",
      'user3@mail.test,DELIVERABLE,MAILBOX_EXISTS,95,,,mx1.mail.test,250,2.1.5,Ok,2030-01-01T00:00:00.000Z',
      'user4@mail.test,,,,,,,,,,',
      '',
    ]);
  });

  test('NDJSON, 2,500 rows across pages of the store', async () => {
    const { server, world } = createTestServer();
    const { id } = world.jobs.fake.create(2_500, null);
    world.jobs.fake.advance(id, 2_499);
    const { ndjson } = await linksOf(server, id);
    const lines = (await (await get(server, pathOf(ndjson))).text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ row }) => row)).toEqual(Array.from({ length: 2_500 }, (_, index) => index + 1));
    expect(lines[0]).toEqual({
      row: 1,
      address: 'user1@mail.test',
      status: 'DELIVERABLE',
      reason: 'MAILBOX_EXISTS',
      score: 95,
      duplicateOf: null,
      provider: null,
      exchange: 'mx1.mail.test',
      reply: { code: 250, enhancedCode: '2.1.5', text: 'Ok' },
      checkedAt: '2030-01-01T00:00:00.000Z',
    });
    expect(lines.at(-1)).toEqual({ row: 2_500, address: 'user2500@mail.test' });
  });

  test('a reader that leaves stops the reading', async () => {
    const { server, world } = createTestServer();
    const { id } = world.jobs.fake.create(100_000, null);
    const { ndjson } = await linksOf(server, id);
    let pages = 0;
    const { rows } = world.services.jobs;
    Object.assign(world.services.jobs, {
      rows: (...args: Parameters<typeof rows>) => {
        pages += 1;
        return rows(...args);
      },
    });
    const reader = (await get(server, pathOf(ndjson))).body?.getReader();
    await reader?.read();
    await reader?.cancel();
    expect(pages).toBeLessThan(5);
  });

  test('changed in any part, it is worth nothing', async () => {
    const { server, world } = createTestServer();
    const { id } = world.jobs.fake.create(1, null);
    const { id: other } = world.jobs.fake.create(1, null);
    const { csv } = await linksOf(server, id);
    const path = pathOf(csv);
    const changed = [
      path.replace(id, other),
      path.replace('.csv', '.ndjson'),
      path.replace(/expires=(\d+)/, (_, seconds) => `expires=${Number(seconds) + 60}`),
      path.replace(/signature=./, (text) => (text.endsWith('A') ? 'signature=B' : 'signature=A')),
      path.replace(/signature=.*/, 'signature='),
      path.replace(/\?.*/, ''),
    ];
    for (const each of changed) {
      const response = await get(server, each);
      expect(response.status, each).toBe(403);
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'LINK_INVALID' } }] });
    }
    expect((await get(server, path)).status).toBe(200);
  });

  test('of another process, it is worth nothing either', async () => {
    const { server, world } = createTestServer();
    const { id } = world.jobs.fake.create(1, null);
    const { csv } = await linksOf(server, id);
    const { server: stranger } = createTestServer({
      services: world.services,
      secret: 'another secret of thirty-two octets!',
    });
    expect((await get(stranger, pathOf(csv))).status).toBe(403);
  });

  test('of a job that is erased: not found', async () => {
    const { server, world } = createTestServer();
    const { id } = world.jobs.fake.create(1, null);
    const { csv } = await linksOf(server, id);
    Object.assign(world.services.jobs, { read: async () => null });
    expect((await get(server, pathOf(csv))).status).toBe(404);
  });

  test('a store in trouble: before the first row it is a 500 without a stack, after it the file breaks off', async () => {
    const { server, world, logged } = createTestServer();
    const { id } = world.jobs.fake.create(5_000, null);
    const { csv } = await linksOf(server, id);
    const { read, rows } = world.services.jobs;
    const boom = async () => {
      throw new Error('disk I/O error');
    };
    Object.assign(world.services.jobs, { read: boom });
    const refused = await get(server, pathOf(csv));
    expect(refused.status).toBe(500);
    expect(await refused.text()).not.toMatch(/disk|\.ts/);
    expect(logged).toMatchObject([{ event: 'request failed', details: { message: 'disk I/O error' } }]);
    let pages = 0;
    Object.assign(world.services.jobs, {
      read,
      rows: (...args: Parameters<typeof rows>) => (++pages > 2 ? boom() : rows(...args)),
    });
    const broken = await get(server, pathOf(csv));
    await expect(broken.text()).rejects.toThrow();
    expect(logged.at(-1)).toMatchObject({ event: 'download broke off' });
  });

  test('expires, to the second', () => {
    let now = Date.UTC(2030, 0, 1);
    const links = createLinks({ secret: 'x'.repeat(32), lifeSeconds: 60, now: () => now });
    const jobId = '00000000-0000-4000-8000-000000000000';
    const url = new URL(links.printResultsUrl('https://rcpt.example', jobId, 'NDJSON'));
    expect(url.origin).toBe('https://rcpt.example');
    now += 59_999;
    expect(links.readResultsUrl(url)).toMatchObject({ jobId, format: 'NDJSON' });
    now += 1;
    expect(links.readResultsUrl(url)).toBe('expired');
  });

  test.each([
    '/results/../../etc/passwd.csv',
    '/results/1.csv',
    '/results/00000000-0000-4000-8000-000000000000.exe',
    '/results/%2e%2e.csv',
  ])('%s is no link', async (path) => {
    expect((await get(createTestServer().server, path)).status).toBe(404);
  });
});
