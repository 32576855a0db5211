/**
 * 10,000 subscriptions of which nothing comes, half by SSE and half by graphql-ws, to one gateway process and then to one
 * bare Yoga: what they take while they are silent, and how long the gateway needs to tell all of them good-bye.
 */
import { once } from 'node:events';
import { type BareReady, startBare } from './api-bare.ts';
import { startWatchers, type WatchersState } from './api-watchers.ts';
import { openApiWorld, readOperation } from './api-world.ts';
import { ask, follow } from './bulk-client.ts';
import { readCpuSeconds, readRssMb } from './serve-process.ts';
import { print, printLoad, verdictOn } from './smtp-engine.ts';
import { type Peer, readOpenFiles } from './smtp-process.ts';

const perTransport = Number(process.env.BENCH_WATCHERS ?? 5_000);
/** Two heartbeats and what they leave behind. */
const idleMs = 30_000;
const longestOpeningMs = 60_000;
/** Of the gateway's own: then it cuts off. */
const longestClosingMs = 15_000;
const sampleMs = 100;

type Subject = {
  readonly name: string;
  readonly port: number;
  readonly pid: number | undefined;
  /** Ends with its process. */
  readonly hasEnded: Promise<unknown>;
};

type Outcome = { readonly mostRssMb: number; readonly closedMs: number; readonly dismissed: number };

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const measureIdle = async (
  { name, port, pid, hasEnded }: Subject,
  query: string,
  id: string,
): Promise<Outcome> => {
  const before = readRssMb(pid);
  const crowds = await Promise.all(
    (['sse', 'graphql-ws'] as const).map((transport) =>
      startWatchers({ transport, port, count: perTransport, query, variables: { id } }),
    ),
  );
  try {
    const readStates = () => Promise.all(crowds.map((crowd) => crowd.ask<WatchersState>('state')));
    const startedAt = performance.now();
    const until = async (isDone: (state: WatchersState) => boolean, ms: number): Promise<WatchersState[]> => {
      const deadline = performance.now() + ms;
      let states = await readStates();
      while (!states.every(isDone) && performance.now() < deadline) {
        await wait(sampleMs);
        states = await readStates();
      }
      return states;
    };
    const opened = await until(({ watching }) => watching === perTransport, longestOpeningMs);
    const openedMs = performance.now() - startedAt;
    if (opened.some(({ watching }) => watching !== perTransport))
      throw new Error(`not all subscribed in ${longestOpeningMs} ms: ${JSON.stringify(opened)}`);
    const cpu = readCpuSeconds(pid);
    await wait(idleMs);
    const idleCpu = readCpuSeconds(pid) - cpu;
    const idle = readRssMb(pid);
    const stillThere = await readStates();
    if (stillThere.some(({ watching }) => watching !== perTransport))
      throw new Error(`some were cut off while they were silent: ${JSON.stringify(stillThere)}`);
    console.log(
      `  ${name}: RSS ${print(before.now)} MB before, ${print(idle.now)} MB idle, most ${print(idle.most)} MB; ${(((idle.now - before.now) * 1_000) / (2 * perTransport)).toFixed(1)} kB a subscription`,
    );
    console.log(
      `    subscribed within ${(openedMs / 1_000).toFixed(1)} s, then ${((idleCpu / (idleMs / 1_000)) * 100).toFixed(1)} % of a core`,
    );
    // What closing takes counts too, up to the moment that the process ends.
    let mostRssMb = idle.most;
    const sampling = setInterval(() => {
      try {
        mostRssMb = Math.max(mostRssMb, readRssMb(pid).most || 0);
      } catch {
        clearInterval(sampling);
      }
    }, sampleMs / 10);
    const toldAt = Date.now();
    process.kill(pid ?? 0, 'SIGTERM');
    const closed = await until(({ watching }) => watching === 0, longestClosingMs);
    await Promise.race([hasEnded, wait(longestClosingMs)]);
    const endedMs = Date.now() - toldAt;
    clearInterval(sampling);
    const dismissed = closed.reduce((sum, state) => sum + state.dismissed, 0);
    const closedMs = Math.max(...closed.map(({ lastEndAt }) => lastEndAt)) - toldAt;
    console.log(
      `    SIGTERM: the last one ended after ${closed.map(({ lastEndAt }) => `${lastEndAt - toldAt}`).join(' ms by SSE, ')} ms by graphql-ws, the process after ${endedMs} ms; most RSS ${print(mostRssMb)} MB; ${print(dismissed)} of ${print(2 * perTransport)} saw the end of their protocol`,
    );
    for (const { cutOff } of closed)
      for (const [how, times] of Object.entries(cutOff)) console.log(`      ${print(times)}: ${how}`);
    return { mostRssMb, closedMs, dismissed };
  } finally {
    await Promise.all(crowds.map((crowd) => crowd.close()));
  }
};

/** A job that is paused before anybody works on it: its subscribers get its state, and then nothing. */
const startPaused = async (url: string): Promise<string> => {
  const { startBulkJob } = await ask<{ startBulkJob: { id: string; message?: string } }>(
    url,
    'mutation($input: StartBulkJobInput!) { startBulkJob(input: $input) { ... on BulkJob { id } ... on Error { message } } }',
    { input: { name: 'silent', source: { addresses: ['user1@accepts.test', 'user2@accepts.test'] } } },
  );
  await ask(url, 'mutation($id: ID!) { pauseBulkJob(id: $id) { __typename } }', { id: startBulkJob.id });
  return startBulkJob.id;
};

type PausedEvent = { readonly job: { readonly state: string }; readonly progress: object };

const readFirst = async (url: string, query: string, id: string): Promise<PausedEvent> => {
  for await (const { bulkJobProgress } of follow<{ bulkJobProgress: PausedEvent }>(url, query, { id })) {
    if (bulkJobProgress.job.state !== 'PAUSED') throw new Error(`the job is ${bulkJobProgress.job.state}`);
    return bulkJobProgress;
  }
  throw new Error('the subscription gave nothing');
};

const startBareSubject = async (bulkJobProgress: object): Promise<Subject & { peer: Peer<BareReady> }> => {
  const peer = await startBare({ email: {}, bulkJobProgress, isLean: false });
  return { name: 'bare Yoga and graphql-ws', ...peer.ready, hasEnded: wait(1_000), peer };
};

export const benchIdle = async (): Promise<void> => {
  const files = readOpenFiles();
  console.log(
    `${print(2 * perTransport)} idle subscriptions, half by SSE, half by graphql-ws, for ${idleMs / 1_000} s (${printLoad()})`,
  );
  if (files !== 'unlimited' && Number(files) < 2 * perTransport + 500) {
    console.log(`  not run: a process may have ${files} open files here (ulimit -n)`);
    return;
  }
  const query = await readOperation('BulkJobProgress');
  // Nobody works here, so that the job cannot end before it is paused.
  const world = await openApiWorld({ RCPT_WORKER_CHUNKS: '0' });
  let outcome: Outcome;
  let event: PausedEvent;
  try {
    const id = await startPaused(world.url);
    event = await readFirst(world.url, query, id);
    outcome = await measureIdle(
      { name: 'rcpt', port: world.port, pid: world.child.pid, hasEnded: once(world.child, 'exit') },
      query,
      id,
    );
  } finally {
    await world.close();
  }
  const { peer, ...bare } = await startBareSubject(event);
  try {
    await measureIdle(bare, query, 'constant');
  } finally {
    await peer.close();
  }
  console.log(verdictOn('most RSS under 400 MB', outcome.mostRssMb < 400));
  console.log(
    verdictOn(
      'all told within 2 s of SIGTERM',
      outcome.dismissed === 2 * perTransport && outcome.closedMs < 2_000,
    ),
  );
};
