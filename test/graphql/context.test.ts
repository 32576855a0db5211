import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../src/address/index.ts';
import { renewContext } from '../../src/graphql/context.ts';
import { createFakeWorld } from './fakes.ts';
import { contextFor, run } from './run.ts';

describe('one context, one asking', () => {
  test('until it is renewed for the next event', async () => {
    const { services, prober } = createFakeWorld();
    const context = contextFor(services);
    const ada = parseAddress('ada@mail.test');
    const first = context.lookups.verify(ada, 0);
    expect(context.lookups.verify(ada, 0)).toBe(first);
    await first;
    renewContext(context);
    await context.lookups.verify(ada, 0);
    expect(prober.probed).toHaveLength(2);
  });

  test('DataLoaders too', async () => {
    const { services, jobs } = createFakeWorld();
    const id = Buffer.from(`BulkJob:${jobs.fake.create(1, null).id}`).toString('base64url');
    const context = contextFor(services);
    const source =
      'query ($id: ID!) { a: bulkJob(id: $id) { state } b: bulkJob(id: $id) { state } node(id: $id) { id } }';
    await run(services, source, { id }, context);
    expect(jobs.fake.reads).toBe(1);
    await run(services, source, { id }, context);
    expect(jobs.fake.reads).toBe(1);
    renewContext(context);
    await run(services, source, { id }, context);
    expect(jobs.fake.reads).toBe(2);
  });
});

describe('paging', () => {
  test('bulkJobs: every job once, newest first, across pages', async () => {
    const { services, jobs } = createFakeWorld();
    const names = Array.from({ length: 7 }, (_, index) => jobs.fake.create(1, `job ${index}`).name);
    const seen: unknown[] = [];
    let after: string | null = null;
    for (let page = 0; page < 10; page++) {
      const { data } = await run(
        services,
        'query ($after: String) { bulkJobs(first: 3, after: $after) { pageInfo { hasNextPage hasPreviousPage endCursor } edges { cursor node { name } } } }',
        { after },
      );
      const connection = data?.bulkJobs as {
        pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; endCursor: string };
        edges: { cursor: string; node: { name: string } }[];
      };
      expect(connection.pageInfo.hasPreviousPage).toBe(page > 0);
      expect(connection.pageInfo.endCursor).toBe(connection.edges.at(-1)?.cursor);
      seen.push(...connection.edges.map(({ node }) => node.name));
      after = connection.pageInfo.endCursor;
      if (!connection.pageInfo.hasNextPage) break;
    }
    expect(seen).toEqual(names.toReversed());
  });

  test('an empty page has no cursors', async () => {
    const { services } = createFakeWorld();
    const { data } = await run(
      services,
      '{ bulkJobs(first: 3) { pageInfo { hasNextPage startCursor endCursor } edges { cursor } } }',
    );
    expect(data).toEqual({
      bulkJobs: { pageInfo: { hasNextPage: false, startCursor: null, endCursor: null }, edges: [] },
    });
  });
});
