/** The mail internet in a box, and the settings that point a gateway at it. */
import { type Config, readConfig, sandboxDir } from '../config.ts';
import { printExamples, startSandbox } from '../sandbox/index.ts';

export type SandboxWorld = {
  readonly config: Config;
  printWelcome(url: string): string;
  close(): Promise<void>;
};

/** What is set stays set; the rest becomes what a person wants who tries things out. */
const comfortable = {
  RCPT_HELO_NAME: 'probe.rcpt.test',
  RCPT_MAX_PROBES_PER_SECOND_PER_EXCHANGE: '0',
  RCPT_GREYLIST_RETRY: '5s,15s,60s',
};

export const openSandbox = async (env: NodeJS.ProcessEnv): Promise<SandboxWorld> => {
  const asked = readConfig({ ...comfortable, ...env });
  const sandbox = await startSandbox();
  const config: Config = {
    ...asked,
    // Simulated verdicts never mix with real ones.
    dataDir: sandboxDir(asked.dataDir),
    database: null,
    dnsServers: sandbox.dnsServers,
    smtpPort: sandbox.smtpPort,
    allowHosts: sandbox.allowHosts,
    // Nothing leaves this machine, whatever real probing is set to go through.
    proxy: null,
    sourceIps: [],
  };
  return {
    config,
    printWelcome: (url) =>
      `${printExamples(sandbox)}\nSIMULATED: these servers live in this process. Nothing leaves this machine.\nGraphiQL: ${url}\n`,
    close: () => sandbox.close(),
  };
};
