/**
 * The gateway as `rcpt serve` starts it, in a process of its own that tells what it takes: memory, event loop,
 * processor time.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { startGateway } from '../src/command/serve.ts';
import { readConfig } from '../src/config.ts';
import { startEnvironment, startFlags } from './serve-process.ts';
import { type Peer, serveParent, startPeer } from './smtp-process.ts';

export type GatewayOptions = {
  readonly dataDir: string;
  readonly dnsServer: string;
  readonly smtpPort: number;
};

/** Since it was asked last. */
export type GatewayStats = {
  readonly rssMb: number;
  readonly mostRssMb: number;
  readonly loopDelayMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly cpuSeconds: number;
};

export type GatewayProcess = Peer<{ readonly url: string }>;

/**
 * Started twice, and the first one closed again: it fills the compile cache that `npm start` has from its `prestart`.
 * Else Node's compiler for types would be measured as well.
 */
export const startBenchGateway = async (options: GatewayOptions): Promise<GatewayProcess> => {
  Object.assign(process.env, startEnvironment);
  const start = () =>
    startPeer<{ readonly url: string }>(import.meta.filename, options, 'anywhere', startFlags);
  await (await start()).close();
  return start();
};

/** Short against what it looks for, and long against what looking costs. */
const sampleMs = 50;

if (import.meta.main) {
  const { dataDir, dnsServer, smtpPort }: GatewayOptions = JSON.parse(process.argv[2] ?? '');
  const gateway = await startGateway(
    {
      ...readConfig({
        RCPT_PORT: '0',
        RCPT_DATA_DIR: dataDir,
        RCPT_HELO_NAME: 'probe.rcpt.test',
        RCPT_MAX_PROBES_PER_SECOND_PER_EXCHANGE: '0',
        // Rows that are told to come back must come back within the bench.
        RCPT_GREYLIST_RETRY: '2s,2s',
      }),
      dnsServers: [dnsServer],
      smtpPort,
      allowHosts: ['127.0.0.0/8'],
    },
    { isSandbox: false, version: 'bench' },
  );
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  let mostRss = 0;
  let cpu = process.cpuUsage();
  setInterval(() => {
    mostRss = Math.max(mostRss, process.memoryUsage.rss());
  }, sampleMs);
  serveParent({ url: new URL('/graphql', gateway.url).href }, () => {
    const rss = process.memoryUsage.rss();
    const { user, system } = process.cpuUsage(cpu);
    const stats: GatewayStats = {
      rssMb: rss / 1e6,
      mostRssMb: Math.max(mostRss, rss) / 1e6,
      loopDelayMs: {
        p50: delay.percentile(50) / 1e6,
        p99: delay.percentile(99) / 1e6,
        max: delay.max / 1e6,
      },
      cpuSeconds: (user + system) / 1e6,
    };
    mostRss = 0;
    cpu = process.cpuUsage();
    delay.reset();
    return stats;
  });
}
