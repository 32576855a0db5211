/** A gateway on a port whose lists are real: the store in a folder of its own, uploads, jobs. Only mail is faked. */
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createJobs, createUploads, type JobsOptions } from '../../src/jobs/index.ts';
import type { ServerOptions } from '../../src/server/index.ts';
import { openDataDir } from '../../src/store/index.ts';
import { createFakeWorld } from '../graphql/fakes.ts';
import { readOperation } from '../graphql/run.ts';
import { fakeVerify } from '../jobs/fakes.ts';
import { createTestServer } from './gateway.ts';

export type Answer = {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};

export const readAnswer = async (asked: ClientRequest): Promise<Answer> => {
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let body = '';
  for await (const piece of response) body += piece;
  return { status: response.statusCode ?? 0, headers: response.headers, body };
};

/** A PUT of octets; without Content-Length when they come as a stream. */
export const put = async (
  url: string,
  octets: Uint8Array | string | AsyncIterable<Uint8Array>,
  headers: Record<string, string | number> = {},
  method = 'PUT',
): Promise<Answer> => {
  const asked = request(url, { method, headers });
  const answer = readAnswer(asked);
  if (typeof octets === 'string' || octets instanceof Uint8Array) asked.end(octets);
  else {
    let isAnswered = false;
    answer.then(
      () => {
        isAnswered = true;
      },
      () => {
        isAnswered = true;
      },
    );
    for await (const piece of octets) {
      if (isAnswered) break;
      if (!asked.write(piece)) await Promise.race([once(asked, 'drain'), answer.catch(() => undefined)]);
    }
    asked.end();
  }
  return answer;
};

export const openLists = async (
  limits: { readonly maxRows?: number; readonly maxBytes?: number; readonly lifeMs?: number } = {},
  options: Partial<ServerOptions> = {},
  overJobs: Partial<JobsOptions> = {},
) => {
  const dir = mkdtempSync(join(tmpdir(), 'rcpt-lists-'));
  const store = openDataDir(dir);
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const maxUploadBytes = limits.maxBytes ?? 1_000_000;
  const uploads = createUploads({
    store: store.uploads,
    now: () => new Date(),
    maxBytes: maxUploadBytes,
    lifeMs: limits.lifeMs ?? 3_600_000,
    onError,
  });
  const jobs = createJobs({
    store: store.jobs,
    uploads: store.uploads,
    webhooks: null,
    verify: fakeVerify(() => 'MAILBOX_EXISTS').verify,
    retentionMs: 86_400_000,
    retrySchedule: [],
    maxUploadBytes,
    maxRows: limits.maxRows ?? 1_000,
    onError,
    ...overJobs,
  });
  const services = { ...createFakeWorld().services, jobs, uploads };
  const { server, logged } = createTestServer({
    services,
    secret: store.secret,
    ...options,
    timeouts: { closeMs: 500, ...options.timeouts },
  });
  const { url: origin } = await server.listen();

  const ask = async (query: string, variables: Record<string, unknown> = {}) => {
    const response = await fetch(`${origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const answer = (await response.json()) as { data: Record<string, never>; errors?: unknown };
    if (answer.errors !== undefined) throw new Error(JSON.stringify(answer.errors));
    return answer.data as Record<string, Record<string, unknown>>;
  };

  return {
    origin,
    store,
    jobs,
    uploads,
    errors,
    logged,
    ask,
    /** What `createUpload` answers, its key beside it. */
    createUpload: async (input: Record<string, unknown> = {}) => {
      const { createUpload } = await ask(readOperation('CreateUpload'), { input });
      const { id, url } = createUpload as { id: string; url: string };
      return { id, url, key: Buffer.from(id, 'base64url').toString().slice('Upload:'.length) };
    },
    start: async (input: Record<string, unknown>) =>
      (await ask(readOperation('StartBulkJob'), { input })).startBulkJob as Record<string, unknown>,
    /** Names of the files that uploads have on the disk. */
    files: () => readdirSync(join(dir, 'uploads')),
    jobCount: async () =>
      (await jobs.list({ limit: 100, afterId: null, owner: null, states: null, search: null })).items.length,
    close: async () => {
      await Promise.all([server.close(), jobs.close(1_000), uploads.close()]);
      store.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
};

export type Lists = Awaited<ReturnType<typeof openLists>>;
