/** What the examples do about streams that end too early, told from streams that are written down. */
import { expect, test } from 'vitest';
import { followResults } from '../../examples/follow-results.ts';
import { type Result, resubscribe } from '../../examples/resubscribe.ts';

/** Each subscription plays the next script: results, then what is thrown, if any. */
const play = <Data>(scripts: readonly (readonly (Result<Data> | Error | readonly object[])[])[]) => {
  const asked: unknown[] = [];
  const subscribe = async function* (variables: unknown = null): AsyncGenerator<Result<Data>> {
    const script = scripts[asked.length] ?? [];
    asked.push(structuredClone(variables));
    for (const item of script) {
      if (item instanceof Error || Array.isArray(item)) throw item;
      yield item as Result<Data>;
    }
  };
  return { asked, subscribe };
};

const lost = new Error('connection lost');
const closing = { errors: [{ message: 'closes', extensions: { code: 'GATEWAY_CLOSING' } }] };
const refused = { message: 'no such job', extensions: { code: 'NOT_FOUND' } };
const batch = (cursor: string, ...positions: number[]) => ({
  data: { bulkJobResults: { cursor, results: positions.map((position) => ({ position })) } },
});

test('results go on after the last cursor, and what is repeated is left out', async () => {
  const { asked, subscribe } = play([
    [batch('a', 1, 2), lost],
    [lost],
    [batch('b', 2, 3), closing],
    [batch('c', 4)],
  ]);
  const rows = await Array.fromAsync(followResults<{ position: number }>(subscribe, 'job'));
  expect(rows.flat().map(({ position }) => position)).toEqual([1, 2, 3, 4]);
  expect(asked).toEqual([null, 'a', 'a', 'b'].map((after) => ({ id: 'job', after })));
});

test.each([
  ['as a result', { errors: [refused] }],
  ['as graphql-ws throws it', [refused]],
])('a refusal %s is final', async (_name, item) => {
  const { asked, subscribe } = play([[{ data: 1 }, item]]);
  await expect(Array.fromAsync(resubscribe(subscribe))).rejects.toMatchObject({
    message: 'no such job',
    code: 'NOT_FOUND',
  });
  expect(asked).toHaveLength(1);
});
