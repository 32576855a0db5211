/** A gateway as `npm start` starts it, and the sandbox's mail internet in a process beside it. */
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandboxProcess } from './sandbox-process.ts';
import { startServe } from './serve-process.ts';

export type ApiWorld = {
  readonly url: string;
  readonly dataDir: string;
  readonly port: number;
  readonly child: ChildProcess;
  /** Verifies one address, and gives the request that is answered from memory from now on, with its answer. */
  remember(): Promise<{ readonly body: string; readonly answer: Answer }>;
  close(): Promise<void>;
};

type Answer = {
  readonly data: { readonly email: { readonly verification: { readonly fromCache: boolean } } };
};

export const readOperation = (name: string): Promise<string> =>
  readFile(new URL(`../schema/operations/${name}.graphql`, import.meta.url), 'utf8');

/** @param settings beside those that lead to the sandbox */
export const openApiWorld = async (settings: Readonly<Record<string, string>> = {}): Promise<ApiWorld> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'rcpt-bench-'));
  const { dnsServers, smtpPort, allowHosts, close } = await startSandboxProcess();
  const gateway = await startServe({
    RCPT_PORT: '0',
    RCPT_DATA_DIR: dataDir,
    RCPT_HELO_NAME: 'probe.rcpt.test',
    RCPT_DNS_SERVERS: dnsServers.join(),
    RCPT_SMTP_PORT: String(smtpPort),
    RCPT_ALLOW_HOSTS: allowHosts.join(),
    RCPT_MAX_PROBES_PER_SECOND_PER_EXCHANGE: '0',
    ...settings,
  });
  return {
    url: gateway.url,
    dataDir,
    port: Number(new URL(gateway.url).port),
    child: gateway.child,
    remember: async () => {
      const query = await readOperation('VerifyEmail');
      const body = JSON.stringify({ query, variables: { address: 'user1@accepts.test', maxAge: '7d' } });
      const ask = async (): Promise<Answer> => {
        const response = await fetch(gateway.url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'application/json' },
          body,
        });
        return (await response.json()) as Answer;
      };
      await ask();
      const answer = await ask();
      if (!answer.data.email.verification.fromCache)
        throw new Error(`not from memory: ${JSON.stringify(answer)}`);
      return { body, answer };
    },
    close: async () => {
      await gateway.stop();
      await close();
      await rm(dataDir, { recursive: true });
    },
  };
};
