/**
 * The shares that this process holds of its lanes' limits, kept up by beats: one call of the store for all lanes that
 * are due, one at a time.
 *
 *   joining   just used: the store is asked at once, and whoever comes to the lane waits for the answer, but not longer
 *             than SHARES_JOIN_MS; then it has the smallest share, one session, until it has heard.
 *   active    somebody waits or is served: heard anew every SHARES_BEAT_MS, or soon (SHARES_SOON_MS) while the share is
 *             not settled: just joined, or others have not made room yet, or sessions past it are not gone yet.
 *   resting   nobody waits: it claims the sessions that are still open, and is forgotten when they are gone.
 *
 * The store unreachable, each keeps the share it has. Nothing is asked for each probe.
 */
import { randomUUID } from 'node:crypto';
import { type LaneShares, planShare, readLaneNodes } from './lane-shares.ts';
import {
  MAX_CLAIMS_AT_ONCE,
  SHARES_BEAT_MS,
  SHARES_DEADLINE_MS,
  SHARES_JOIN_MS,
  SHARES_LIFE_MS,
  SHARES_SOON_MS,
} from './limits.ts';
import { laneSubject } from './shared-facts.ts';
import { within } from './within.ts';

/** What is needed of a lane to share it. */
export type SharedLane = {
  readonly key: string;
  /** Open, being opened, or not gone yet. */
  readonly sessions: number;
  /** Does anybody wait for it, or is served? */
  readonly hasWork: boolean;
  /** It may have so many sessions from now on; those past it are left as soon as they are quiet. */
  setShare(sessions: number): void;
};

export type ShareHolder = {
  /** To be called before a probe is added. Null when there is nothing to wait for; never rejects. */
  join(lane: SharedLane): Promise<void> | null;
  /** Leaves all lanes, for the others to hear; to be called when the sessions are gone. Never rejects. */
  close(): Promise<void>;
};

export type ShareHolderOptions = {
  readonly shares: LaneShares;
  /** Who shares: the processes of one source, or all. */
  readonly scope: string;
  /** Sessions open at once to one set of exchanges, of all who share. */
  readonly limit: number;
  readonly onError: (error: unknown) => void;
};

type Member = {
  readonly name: string;
  lane: SharedLane;
  state: 'joining' | 'active' | 'resting';
  usable: number;
  wish: number;
  /** When the store was last heard (monotonic); 0: never. */
  heardAt: number;
  dueAt: number;
  joined: PromiseWithResolvers<void> | null;
  timer: NodeJS.Timeout | undefined;
};

/** Those due within this are taken along. */
const SLACK_MS = 50;

export const createShareHolder = ({ shares, scope, limit, onError }: ShareHolderOptions): ShareHolder => {
  const self = { scope, node: randomUUID(), lifeMs: SHARES_LIFE_MS };
  const members = new Map<string, Member>();
  let beating: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let wakesAt = Number.POSITIVE_INFINITY;
  /** False from a failure until the store answers: then nobody waits for it, and it is told once. */
  let isTrusted = true;
  let isClosed = false;

  const give = (member: Member, usable: number): void => {
    member.usable = usable;
    member.lane.setShare(usable);
  };

  const letIn = (member: Member): void => {
    clearTimeout(member.timer);
    if (member.state === 'joining') member.state = 'active';
    member.joined?.resolve();
    member.joined = null;
  };

  const distrust = (error: unknown): void => {
    if (isTrusted) onError(error);
    isTrusted = false;
  };

  /** The smallest share, for who has not heard yet. */
  const startAlone = (member: Member): void => {
    if (member.heardAt === 0) give(member, 1);
    letIn(member);
  };

  const hear = (member: Member, answer: unknown, heardAt: number): void => {
    const nodes = readLaneNodes(answer, self.node);
    const isFirst = member.heardAt === 0;
    if (nodes === null) distrust(new Error('the store told no list of nodes of a lane'));
    else {
      // A claim that was not renewed in its life was nobody's: others may hold what was held.
      const held = heardAt - member.heardAt < SHARES_LIFE_MS ? member.usable : 0;
      const own = nodes.find(({ node }) => node === self.node)?.sessions ?? 0;
      const { usable, fair, wish } = planShare(nodes, self.node, limit, held);
      member.heardAt = heardAt;
      member.wish = wish;
      give(member, member.state === 'resting' ? Math.min(usable, member.usable) : usable);
      const isSettled = !isFirst && usable === fair && own === usable;
      member.dueAt =
        heardAt +
        (member.state === 'resting'
          ? SHARES_LIFE_MS - SHARES_BEAT_MS
          : isSettled
            ? SHARES_BEAT_MS
            : SHARES_SOON_MS);
    }
    if (member.state === 'joining') startAlone(member);
  };

  /** Who is due, and has something to say: the others rest, or are gone. */
  const takeDue = (now: number): { readonly due: readonly Member[]; readonly gone: readonly string[] } => {
    const due: Member[] = [];
    const gone: string[] = [];
    for (const [key, member] of members) {
      if (member.dueAt > now + SLACK_MS || due.length >= MAX_CLAIMS_AT_ONCE) continue;
      const { lane, state } = member;
      if (state !== 'joining' && !lane.hasWork) {
        if (lane.sessions === 0) {
          members.delete(key);
          // What a resting one wrote down lapses by itself, in a moment.
          if (state === 'active') gone.push(member.name);
          continue;
        }
        member.state = 'resting';
        member.wish = lane.sessions;
        give(member, Math.min(member.usable, lane.sessions));
      }
      due.push(member);
    }
    return { due, gone };
  };

  const beat = async (): Promise<void> => {
    const { due, gone } = takeDue(performance.now());
    // Until it is heard what becomes of them, no other beat takes them.
    for (const member of due) member.dueAt = performance.now() + SHARES_BEAT_MS;
    const claims = due.map(({ name, wish, usable, lane, state }) => {
      const sessions = Math.max(wish, usable, lane.sessions);
      return {
        lane: name,
        sessions,
        ifAlone: state === 'resting' ? sessions : Math.max(limit, lane.sessions),
      };
    });
    try {
      if (gone.length > 0) await within(SHARES_DEADLINE_MS, shares.leave(self, gone), 'lanes were not left');
      if (due.length > 0) {
        const sentAt = performance.now();
        const answer = await within(
          SHARES_DEADLINE_MS,
          shares.announce(self, claims),
          'shares were not told',
        );
        isTrusted = true;
        for (const member of due) hear(member, answer.get(member.name), sentAt);
      }
    } catch (error) {
      distrust(error);
      for (const member of due) startAlone(member);
    }
  };

  const wakeIn = (ms: number): void => {
    const at = performance.now() + ms;
    if (isClosed || beating || at >= wakesAt) return;
    clearTimeout(timer);
    wakesAt = at;
    timer = setTimeout(wake, ms);
    timer.unref();
  };

  const wake = async (): Promise<void> => {
    wakesAt = Number.POSITIVE_INFINITY;
    beating = beat();
    await beating;
    beating = null;
    let next = Number.POSITIVE_INFINITY;
    for (const { dueAt } of members.values()) next = Math.min(next, dueAt);
    if (members.size > 0) wakeIn(Math.max(0, next - performance.now()));
  };

  const addMember = (lane: SharedLane): Member => {
    const member: Member = {
      name: laneSubject(lane.key, null),
      lane,
      state: 'joining',
      usable: 0,
      wish: 1,
      heardAt: 0,
      dueAt: 0,
      joined: null,
      timer: undefined,
    };
    members.set(lane.key, member);
    give(member, 0);
    if (isTrusted) {
      member.joined = Promise.withResolvers<void>();
      member.timer = setTimeout(() => {
        distrust(new Error(`the share of a lane was not told within ${SHARES_JOIN_MS} ms`));
        startAlone(member);
      }, SHARES_JOIN_MS);
    } else startAlone(member);
    wakeIn(0);
    return member;
  };

  return {
    join(lane) {
      if (isClosed) return null;
      const member = members.get(lane.key) ?? addMember(lane);
      if (member.lane !== lane) {
        member.lane = lane;
        lane.setShare(member.usable);
      }
      if (member.state === 'resting') {
        member.state = 'active';
        member.dueAt = 0;
        wakeIn(0);
      }
      return member.joined?.promise ?? null;
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await beating;
      const names = [...members.values()].map(({ name }) => name);
      for (const member of members.values()) letIn(member);
      members.clear();
      try {
        if (names.length > 0)
          await within(SHARES_DEADLINE_MS, shares.leave(self, names), 'lanes were not left');
      } catch (error) {
        distrust(error);
      }
    },
  };
};
