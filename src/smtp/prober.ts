import { randomBytes } from 'node:crypto';
import type { MailExchange } from '../dns/index.ts';
import { createAskers } from './askers.ts';
import { createCatchAllMemory } from './catch-all.ts';
import { createGreeter } from './greeter.ts';
import type { Guard } from './guard.ts';
import { Lane, type LaneOptions } from './lane.ts';
import type { LaneShares } from './lane-shares.ts';
import { DEFAULT_TIMEOUTS, MAX_LANES, MAX_QUEUED, type Timeouts } from './limits.ts';
import { Probe, type Question } from './probe.ts';
import { printCommandLine } from './protocol/index.ts';
import type { Socks5Proxy } from './proxy.ts';
import type { LookupAddresses } from './reach.ts';
import type { SessionStats } from './session.ts';
import { createShareHolder } from './share-holder.ts';
import type { SharedFacts } from './shared-facts.ts';
import { createSharedKnowledge } from './shared-knowledge.ts';
import { createSlots } from './slots.ts';
import { askForSmtpUtf8 } from './smtputf8.ts';
import { createSourcePool } from './source.ts';
import type { ProbeEvidence, ProbeRequest, Prober } from './types.ts';

export type ProberOptions = {
  readonly lookupAddresses: LookupAddresses;
  readonly guard: Guard;
  /** 25, but for a lab. */
  readonly port: number;
  /** A name that is ours (RFC 5321 §4.1.1.1). */
  readonly heloName: string;
  /** The reverse path without brackets; empty for the null one. */
  readonly mailFrom: string;
  /** Open at once, all exchanges together. */
  readonly maxSessions: number;
  /** Open at once to one set of exchanges. */
  readonly maxSessionsPerExchange: number;
  /** RCPT TO commands a second to one set of exchanges, on average; bursts of a second's worth. 0: no limit. */
  readonly probesPerSecondPerExchange: number;
  /** Local addresses to connect from; empty: the system chooses. */
  readonly sourceIps?: readonly string[];
  /** To connect through. */
  readonly proxy?: Socks5Proxy | null;
  readonly timeouts?: Partial<Timeouts>;
  /** What processes tell each other of domains and exchanges; null: this one is alone. */
  readonly facts?: SharedFacts | null;
  /** How processes share the limits of one set of exchanges; null: they are this one's alone. */
  readonly shares?: LaneShares | null;
  /** Name of the address that exchanges see; processes with the same one share what exchanges know by it. */
  readonly source?: string;
  /** Who shares the limits: the processes of one source, since that is what servers count, or all of the cluster. */
  readonly limitScope?: 'source' | 'cluster';
  /** Told of a store that fails: no probe does because of it. */
  readonly onError?: (error: unknown) => void;
  /** Epoch milliseconds: for what is remembered and shown. Deadlines of a session run on the monotonic clock. */
  readonly now?: () => number;
  /** Octets nobody can guess. */
  readonly random?: (octets: number) => Uint8Array;
};

/** Null when there is nothing to wait for. */
const whenBoth = (
  one: Promise<void> | null | undefined,
  other: Promise<void> | null | undefined,
): Promise<void> | null =>
  one && other ? Promise.all([one, other]).then(() => undefined) : (one ?? other ?? null);

type Request = Pick<ProbeRequest, 'exchanges' | 'deadline' | 'signal'>;

/**
 * The lanes of this process.
 * @throws when `heloName` or `mailFrom` cannot be said in a command
 */
export const createProber = (options: ProberOptions): Prober => {
  // A bad setting shows at start, and not as a bug of each session.
  printCommandLine({ verb: 'EHLO', name: options.heloName });
  printCommandLine({ verb: 'MAIL', reversePath: options.mailFrom, usesSmtpUtf8: false });
  const now = options.now ?? Date.now;
  const stats: SessionStats = { sessionsOpened: 0, commandsSent: 0 };
  const lanes = new Map<string, Lane>();
  const askers = createAskers();
  const slots = createSlots(options.maxSessions, () => {
    for (const lane of lanes.values()) if (lane.closeOneIdle()) return;
  });
  const { facts = null, shares = null, source = '', limitScope = 'source' } = options;
  const { onError = () => undefined } = options;
  const knowledge =
    facts && createSharedKnowledge({ facts, source, readCatchAll: () => catchAll, now, onError });
  const catchAll = createCatchAllMemory(
    now,
    options.random ?? randomBytes,
    knowledge && ((domain, fact) => knowledge.toldOfDomain(domain, fact)),
  );
  const holder =
    shares &&
    createShareHolder({
      shares,
      scope: limitScope === 'cluster' ? 'cluster' : `source ${source}`,
      limit: options.maxSessionsPerExchange,
      onError,
    });
  const laneOptions: LaneOptions = {
    ...options,
    timeouts: { ...DEFAULT_TIMEOUTS, ...options.timeouts },
    now,
    stats,
    sources: createSourcePool(options.sourceIps ?? []),
    slots,
    catchAll,
    tellOfLane: knowledge && ((key, fact) => knowledge.toldOfLane(key, fact)),
  };
  const greeter = createGreeter(laneOptions, slots);
  let waiting = 0;
  let isClosed = false;

  /** The lane of a set of exchanges, whatever their preferences; the one used last is last in the map. */
  const findLane = (exchanges: readonly MailExchange[]): Lane => {
    const key = exchanges
      .map(({ host }) => host)
      .sort()
      .join(' ');
    const lane = lanes.get(key) ?? new Lane(key, exchanges, laneOptions);
    lanes.delete(key);
    lanes.set(key, lane);
    if (lanes.size > MAX_LANES)
      for (const [old, candidate] of lanes) {
        if (!candidate.isUnused) continue;
        lanes.delete(old);
        break;
      }
    return lane;
  };

  const leaveOne = (): void => {
    waiting--;
  };

  const enter = (lane: Lane, probe: Probe, exchanges: readonly MailExchange[]): void => {
    try {
      lane.add(probe, exchanges);
    } catch (error) {
      probe.fail(error);
    }
  };

  /** Its asker may leave while it waits for the store. */
  const enterOnce = (
    ready: Promise<void>,
    lane: Lane,
    probe: Probe,
    exchanges: readonly MailExchange[],
  ): void => {
    lane.expected++;
    void ready.then(() => {
      lane.expected--;
      if (!probe.isSettled) enter(lane, probe, exchanges);
    });
  };

  const ask = (question: Question, { exchanges, deadline, signal }: Request): Probe['answer'] => {
    const probe = new Probe(question, now);
    const lane = findLane(exchanges);
    if (isClosed || waiting >= MAX_QUEUED) {
      lane.leave(probe);
      return probe.answer;
    }
    waiting++;
    probe.whenAnswered(leaveOne);
    const ready = whenBoth(knowledge?.look(question.domain, lane), holder?.join(lane));
    if (ready) enterOnce(ready, lane, probe, exchanges);
    else enter(lane, probe, exchanges);
    try {
      askers.watch(probe, { deadline, signal, now: now() }, (one) => lane.leave(one));
    } catch (error) {
      probe.fail(error);
    }
    return probe.answer;
  };

  return {
    stats,
    async probe(request) {
      const { address, providerId, priority, observe } = request;
      // What no parsed address is: a bug of the caller, which must fail this probe and not a batch.
      printCommandLine({ verb: 'RCPT', forwardPath: `${address.localPart}@${address.domain}` });
      const question = { address, domain: address.domain, providerId, priority, observe };
      const askAt = async (exchanges: ProbeRequest['exchanges']): Promise<ProbeEvidence> =>
        (await ask(question, { ...request, exchanges })).evidence;
      return address.requiresSmtpUtf8 ? askForSmtpUtf8(request.exchanges, askAt) : askAt(request.exchanges);
    },
    async probeCatchAll(request) {
      const { domain, providerId, priority, observe } = request;
      const known = catchAll.recall(domain);
      if (known) return known;
      return (await ask({ address: null, domain, providerId, priority, observe }, request)).finding;
    },
    greet: greeter.greet,
    lanes: () => [...lanes.values()].map((lane) => lane.snapshot()),
    async close() {
      isClosed = true;
      await Promise.all([greeter.close(), ...[...lanes.values()].map((lane) => lane.close())]);
      await Promise.all([knowledge?.close(), holder?.close()]);
    },
  };
};
