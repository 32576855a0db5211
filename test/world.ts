/** The whole engine against the mail internet in a box: real DNS questions, real SMTP dialogues, on loopback. */
import { type Engine, openEngine } from '../src/command/engine.ts';
import { type Config, readConfig } from '../src/config.ts';
import { type Sandbox, startSandbox } from '../src/sandbox/index.ts';
import { openSqliteStore, type SqliteStore } from '../src/store/index.ts';

export type World = {
  readonly sandbox: Sandbox;
  readonly config: Config;
  readonly store: SqliteStore;
  readonly engine: Engine;
  /** Whatever was reported as a bug or a failing memory; a test that ends with some has found one. */
  readonly errors: unknown[];
  close(): Promise<void>;
};

export const openWorld = async (changes: Partial<Config> = {}): Promise<World> => {
  const sandbox = await startSandbox({ pace: 0.02 });
  const config: Config = {
    ...readConfig({ RCPT_HELO_NAME: 'probe.rcpt.test', RCPT_MAX_PROBES_PER_SECOND_PER_EXCHANGE: '0' }),
    dnsServers: sandbox.dnsServers,
    smtpPort: sandbox.smtpPort,
    allowHosts: sandbox.allowHosts,
    ...changes,
  };
  const store = openSqliteStore({ path: '' });
  const errors: unknown[] = [];
  const engine = openEngine(config, store.verifications, (error) => errors.push(error));
  return {
    sandbox,
    config,
    store,
    engine,
    errors,
    close: async () => {
      await engine.close();
      store.close();
      await sandbox.close();
    },
  };
};
