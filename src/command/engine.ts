/** The parts joined: what `serve`, `verify` and `bulk` all stand on. */
import type { Config } from '../config.ts';
import { createDns, type Dns } from '../dns/index.ts';
import { createJobs, type Jobs, type JobsOptions } from '../jobs/index.ts';
import {
  createGuard,
  createProber,
  type Guard,
  type LaneShares,
  type Prober,
  type SharedFacts,
} from '../smtp/index.ts';
import { createVerifier, type VerificationMemory, type Verifier } from '../verify/index.ts';

export type Engine = {
  readonly dns: Dns;
  readonly guard: Guard;
  readonly prober: Prober;
  readonly verifier: Verifier;
  close(): Promise<void>;
};

/** What other processes are told and asked; nulls where there are none. */
export type Neighbours = { readonly facts: SharedFacts | null; readonly shares: LaneShares | null };

/** Told of what whoever runs this may want to look into. Details never hold an address. */
export type OnAudit = (event: string, details: Readonly<Record<string, unknown>>) => void;

export const openEngine = (
  config: Config,
  memory: VerificationMemory,
  onError: (error: unknown) => void,
  { facts, shares }: Neighbours = { facts: null, shares: null },
  onAudit: OnAudit = () => undefined,
): Engine => {
  const dns = createDns({ servers: config.dnsServers });
  const guard = createGuard(config.allowHosts);
  const prober = createProber({
    lookupAddresses: (host, signal) => dns.lookupAddresses(host, signal),
    guard,
    port: config.smtpPort,
    heloName: config.heloName,
    mailFrom: config.mailFrom,
    maxSessions: config.maxSessions,
    maxSessionsPerExchange: config.maxSessionsPerExchange,
    probesPerSecondPerExchange: config.maxProbesPerSecondPerExchange,
    sourceIps: config.sourceIps,
    proxy: config.proxy,
    facts,
    shares,
    source: config.source,
    limitScope: config.limitScope,
    onError,
  });
  const verifier = createVerifier({
    dns,
    prober,
    memory,
    budgetMs: config.timeoutMs,
    retrySeconds: config.greylistRetrySeconds,
    harvest:
      config.harvestLimit === 0
        ? null
        : {
            limit: config.harvestLimit,
            onLimited: ({ owner, ...limited }) => onAudit('harvest limited', { keyId: owner, ...limited }),
          },
    onError,
  });
  return {
    dns,
    guard,
    prober,
    verifier,
    close: async () => {
      await prober.close();
      dns.close();
    },
  };
};

/** Time of a chunk; what it has not settled by then goes back. */
export const chunkDeadlineMs = 300_000;

/** Jobs on an engine, as the settings say. */
export const openJobs = (
  config: Config,
  { verifier }: Engine,
  parts: Pick<JobsOptions, 'store' | 'uploads' | 'webhooks' | 'wire'>,
  onError: (error: unknown) => void,
): Jobs =>
  createJobs({
    ...parts,
    verify: verifier.verify,
    retentionMs: config.retentionSeconds * 1_000,
    retrySchedule: config.greylistRetrySeconds.map((seconds) => seconds * 1_000),
    concurrency: { chunks: config.workerChunks, rowsPerChunk: config.workerRows },
    chunkDeadlineMs,
    maxRows: config.maxRows,
    maxUploadBytes: config.maxUploadBytes,
    onError,
  });
