/** Askers for tests of the harvest guard: addresses and verdicts as far as the guard looks at them. */
import { parseAddress } from '../address/index.ts';
import type { Priority } from '../smtp/index.ts';
import { type Reason, reasonTable } from '../verdict/index.ts';
import { createHarvestGuard, type HarvestLimited, type HarvestOptions } from './harvest.ts';
import type { Verification } from './types.ts';

export const startedAt = Date.parse('2030-01-01T00:00:00Z');
export const hour = 3_600_000;
const never = new AbortController().signal;

const addressOf = (text: string) => {
  const parsed = parseAddress(text);
  if (parsed.kind === 'fault') throw new Error(`${text}: ${parsed.fault.code}`);
  return parsed.address;
};
/** As far as the guard looks at it. */
export const verdictOf = (reason: Reason) => ({ reason, status: reasonTable[reason].status }) as Verification;

/** A guard under a limit of three, a clock, and who asks it. */
export const startHarvest = (options: Partial<HarvestOptions> = {}) => {
  const clock = { ms: startedAt };
  const events: HarvestLimited[] = [];
  const guard = createHarvestGuard({
    limit: 3,
    now: () => clock.ms,
    onLimited: (event) => events.push(event),
    ...options,
  });
  type Asked = {
    owner?: string;
    client?: string;
    priority?: Priority;
    signal?: AbortSignal;
    patienceMs?: number;
  };
  const enter = (text: string, { owner = 'key', ...asked }: Asked = {}) =>
    guard.enter(owner, addressOf(text), {
      priority: 'interactive',
      signal: never,
      patienceMs: 10_000,
      ...asked,
    });
  /** Asked and told before the next one asks: the kind of the pass. */
  const ask = (text: string, reason: Reason = 'MAILBOX_NOT_FOUND', asked: Asked = {}) => {
    const pass = enter(text, asked);
    if (pass instanceof Promise) throw new Error(`${text} has to wait`);
    if (pass.kind === 'admitted') pass.settle(verdictOf(reason));
    return pass.kind;
  };
  /** Which of them are answered. */
  const askAll = (texts: readonly string[], reason?: Reason, asked?: Asked) =>
    texts.map((text) => ask(text, reason, asked));
  return { clock, events, guard, enter, ask, askAll };
};

export const yes = 'admitted';
export const no = 'limited';
export const names = (count: number, domain = 'firm.test', prefix = 'guess') =>
  Array.from({ length: count }, (_, n) => `${prefix}${n}@${domain}`);
export const times = <Item>(count: number, item: Item): Item[] => Array(count).fill(item);
