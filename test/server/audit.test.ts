/** The audit of GraphQL over HTTP, on a port, as the package of its authors runs it. */
import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestServer } from './gateway.ts';

const { server } = createTestServer();
let url = '';
beforeAll(async () => {
  url = `${(await server.listen()).url}/graphql`;
});
afterAll(() => server.close());

const audits = serverAudits({ url: () => url, fetchFn: fetch });

test('there are 61 of them', () => {
  expect(audits).toHaveLength(61);
});

test.each(audits.map((audit) => [audit.id, audit.name, audit] as const))(
  '%s %s',
  async (_id, _name, audit) => {
    expect(await audit.fn()).toMatchObject({ status: 'ok' });
  },
);
