/**
 * What a 429 takes: processor time of the gateway for a request that it refuses, against one that it answers from memory
 * and one that it verifies, over as many connections. A bare Yoga, and a Node that answers nothing but constants, are
 * measured beside it: below what the latter takes nobody gets who speaks HTTP.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startBare } from './api-bare.ts';
import { load, type Post } from './api-load.ts';
import { type ApiWorld, openApiWorld, readOperation } from './api-world.ts';
import { mainFile, readCpuSeconds } from './serve-process.ts';
import { median, print, printLoad, spread, verdictOn } from './smtp-engine.ts';
import { type Peer, serveParent, startPeer } from './smtp-process.ts';

const connections = 16;
const sliceMs = 2_000;
const warmUpMs = 3_000;
const rounds = 4;

type Answer = {
  readonly data: { readonly email: object };
  readonly extensions: { readonly cost: { readonly requestedQueryCost: number } };
};

/** A key as an operator makes it; the gateway hears of it within a second. @returns the Authorization header */
const createKey = (world: ApiWorld, name: string, pointsPerMinute: number): string => {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [mainFile, 'keys', 'create', '--name', name, '--scope', 'verify', '--per-minute', `${pointsPerMinute}`],
    { env: { ...process.env, RCPT_DATA_DIR: world.dataDir }, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`no key: ${stderr}`);
  return `Bearer ${stdout.trim()}`;
};

const ask = (world: ApiWorld, body: string, authorization: string): Promise<Response> =>
  fetch(world.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', authorization },
    body,
  });

const hearMs = 1_500;

type Subject = {
  readonly name: string;
  readonly pid: number | undefined;
  readonly post: Post;
  /** Before each slice. */
  readonly prepare?: () => Promise<void>;
};

/** Points come back all the time: spends them until there are none for longer than a slice lasts. */
const exhaust = async (world: ApiWorld, authorization: string, body: () => string): Promise<void> => {
  for (;;) {
    const response = await ask(world, body(), authorization);
    await response.text();
    if (response.status === 429 && Number(response.headers.get('retry-after')) * 1_000 > 2 * warmUpMs) return;
    if (response.status !== 200) await new Promise((resolve) => setTimeout(resolve, hearMs));
  }
};

/** Processor time for each request, in microseconds. */
const measure = async ({ pid, post, prepare }: Subject, forMs: number): Promise<number> => {
  await prepare?.();
  const cpu = readCpuSeconds(pid);
  const startedAt = performance.now();
  const { perSecond } = await load(post, connections, forMs);
  const requests = (perSecond * (performance.now() - startedAt)) / 1_000;
  return ((readCpuSeconds(pid) - cpu) * 1e6) / requests;
};

const startConstant = (body: string): Promise<Peer<{ readonly port: number; readonly pid: number }>> =>
  startPeer(import.meta.filename, { body }, 'anywhere');

export const benchRefused = async (): Promise<void> => {
  const world = await openApiWorld();
  const { answer } = await world.remember();
  const query = await readOperation('VerifyEmail');
  const bodyOf = (address: string, maxAge: string): string =>
    JSON.stringify({ query, variables: { address, maxAge } });
  const cached = bodyOf('user1@accepts.test', '7d');
  let n = 0;
  const uncached = (): string => bodyOf(`user${n++}@accepts.test`, '0s');
  const bare = await startBare({ email: answer.data.email, bulkJobProgress: {}, isLean: false });
  const constant = await startConstant(JSON.stringify({ errors: [{ message: 'x'.repeat(150) }] }));
  try {
    const rich = createKey(world, 'rich', 100_000_000);
    await new Promise((resolve) => setTimeout(resolve, hearMs));
    const { extensions } = (await (await ask(world, cached, rich)).json()) as Answer;
    // Enough for the operation once, and then not for a minute.
    const poor = createKey(world, 'poor', extensions.cost.requestedQueryCost + 1);
    await new Promise((resolve) => setTimeout(resolve, hearMs));
    const gateway = { port: world.port, pid: world.child.pid };
    const subjectOf = (name: string, authorization: string, body: Post['body'], status = 200): Subject => ({
      name,
      pid: gateway.pid,
      post: { port: gateway.port, body, status, headers: { Authorization: authorization } },
    });
    const subjects: readonly Subject[] = [
      subjectOf('rcpt, answered from memory', rich, cached),
      subjectOf('rcpt, verified by asking', rich, uncached),
      {
        ...subjectOf('rcpt, refused with 429', poor, cached, 429),
        prepare: () => exhaust(world, poor, uncached),
      },
      { name: 'bare Yoga, constants', ...bare.ready, post: { port: bare.ready.port, body: cached } },
      {
        name: 'Node alone, a constant',
        ...constant.ready,
        post: { port: constant.ready.port, body: cached, status: 429 },
      },
    ];
    console.log(
      `what a 429 takes: ${connections} connections, ${rounds} rounds of ${sliceMs / 1_000} s each in turns (${printLoad()})`,
    );
    const costs = subjects.map((): number[] => []);
    for (const subject of subjects) await measure(subject, warmUpMs);
    for (let round = 0; round < rounds; round++)
      for (const [index, subject] of subjects.entries()) costs[index]?.push(await measure(subject, sliceMs));
    for (const [index, { name }] of subjects.entries())
      console.log(`  ${name}: ${spread(costs[index] ?? [])} µs of processor time a request`);
    const [served = [], verified = [], throttled = [], ofYoga = [], ofNode = []] = costs;
    const shareOf = (whole: readonly number[], part = throttled): number =>
      median(part.map((cost, round) => cost / (whole[round] ?? Number.NaN)));
    const printShare = (share: number): string => `${print(share * 100)} %`;
    console.log(
      `  a 429 takes ${printShare(shareOf(served))} of an answer from memory, ${printShare(shareOf(verified))} of a verification, ${printShare(shareOf(ofYoga))} of a bare Yoga's answer; Node alone takes ${printShare(shareOf(served, ofNode))} of an answer from memory`,
    );
    console.log(verdictOn('under 10 % of a request that is served', shareOf(served) < 0.1));
  } finally {
    await bare.close();
    await constant.close();
    await world.close();
  }
};

if (import.meta.main) {
  const { body } = JSON.parse(process.argv[2] ?? '') as { readonly body: string };
  const http = createServer((request, response) => {
    request.resume();
    response.writeHead(429, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  serveParent({ port: (http.address() as AddressInfo).port, pid: process.pid }, () => null);
}
