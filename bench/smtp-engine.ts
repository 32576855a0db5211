/** The engine as `serve` opens it, with nothing remembered between processes, and ways to load and to describe it. */
import { loadavg } from 'node:os';
import { parseAddress } from '../src/address/index.ts';
import { type Engine, openEngine } from '../src/command/engine.ts';
import { readConfig } from '../src/config.ts';
import type { Verification } from '../src/verify/index.ts';

export type Where = { readonly dnsServer: string; readonly smtpPort: number };

/** Whose time is over would be measured as answered: none of the benches is near it. */
const BUDGET_MS = 120_000;

export const openBenchEngine = (
  { dnsServer, smtpPort }: Where,
  settings: Readonly<Record<string, string>>,
): Engine =>
  openEngine(
    {
      ...readConfig({
        RCPT_HELO_NAME: 'probe.rcpt.test',
        RCPT_MAX_PROBES_PER_SECOND_PER_EXCHANGE: '0',
        RCPT_TIMEOUT_MS: String(BUDGET_MS),
        ...settings,
      }),
      dnsServers: [dnsServer],
      smtpPort,
      allowHosts: ['127.0.0.0/8'],
    },
    { recall: async () => null, remember: async () => undefined },
    (error) => {
      throw error;
    },
  );

/** The rows of a chunk are asked with one signal, as a job does. */
const ROWS_PER_CHUNK = 500;
let asked = 0;
let chunk = new AbortController().signal;
const nextSignal = (): AbortSignal => {
  asked += 1;
  if (asked % ROWS_PER_CHUNK === 0) chunk = new AbortController().signal;
  return chunk;
};

export const verify = (engine: Engine, address: string, signal?: AbortSignal): Promise<Verification> =>
  engine.verifier.verify(parseAddress(address), {
    priority: 'bulk',
    budgetMs: BUDGET_MS,
    signal: signal ?? nextSignal(),
  });

/** Runs `one` over all items, `atOnce` of them at a time. */
export const runAll = async <Item>(
  items: Iterable<Item>,
  atOnce: number,
  one: (item: Item) => Promise<unknown>,
): Promise<void> => {
  const rest = items[Symbol.iterator]();
  const work = async (): Promise<void> => {
    for (let next = rest.next(); !next.done; next = rest.next()) await one(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
};

export type Tally = Map<string, number>;
export const count = (tally: Tally, what: string): void => {
  tally.set(what, (tally.get(what) ?? 0) + 1);
};
export const printTally = (tally: Tally): string =>
  [...tally]
    .toSorted(([, a], [, b]) => b - a)
    .map(([what, times]) => `${what} ${print(times)}`)
    .join(', ');

export const print = (number: number): string => Math.round(number).toLocaleString('en');

/** What it took: by the clock, and by our own processor time, which a busy machine does not distort. */
export type Pace = { readonly perSecond: number; readonly perCpuSecond: number };

export const measure = async (addresses: number, run: () => Promise<unknown>): Promise<Pace> => {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await run();
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: addresses / seconds, perCpuSecond: addresses / ((user + system) / 1e6) };
};

/** Minimum, median and maximum of several runs. */
export const spread = (numbers: readonly number[], show: (number: number) => string = print): string => {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (share: number): string => show(sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN);
  return `${at(0.5)} (${at(0)} to ${at(1)})`;
};
export const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor((numbers.length - 1) / 2)] ?? Number.NaN;

export const printLoad = (): string => `load average ${loadavg()[0]?.toFixed(1)}`;

export const verdictOn = (aim: string, isMet: boolean): string =>
  `  aim: ${aim}: ${isMet ? 'met' : 'MISSED'}`;
