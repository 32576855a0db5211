/**
 * The harvest guard of those who ask in person: at most `limit` different unknown mailboxes of a domain in a window.
 *
 * A hundred questions in one operation are begun before the first refusal is known, so whoever is under way counts as
 * unknown until it is told. Who would be past the limit stands in line, in the order of asking, until somebody before
 * it was told something else (and gives its place back), its own time or signal ends, or the limit is reached: a
 * hundred people of one company pass in two waves, and of a hundred guesses `limit` reach the mail server. Whoever
 * leaves without an answer was told nothing and gives its place back too.
 *
 * There is always somebody under way where somebody stands in line, so that no line is forgotten.
 */
import { createDepartures, type Leaver } from './departures.ts';
import {
  createAccounts,
  type HarvestPass,
  type HarvestPorts,
  type HarvestQuestion,
  type HarvestWindow,
  isOver,
  isToldUnknown,
  limitPass,
} from './harvest-account.ts';

type Account = HarvestWindow & {
  /** Hashes of the mailboxes that are unknown, in this window. */
  readonly unknown: Set<number>;
  /** How many are under way about a mailbox. */
  readonly underWay: Map<number, number>;
  readonly line: Set<Waiter>;
};

type Waiter = Leaver & {
  readonly account: Account;
  readonly question: HarvestQuestion;
  readonly hash: number;
  readonly resolve: (pass: HarvestPass) => void;
};

/** In all lines. The runaway: a flood of operations of a hundred guesses each. Who comes past it is told nothing. */
const mostWaiters = 10_000;
const left: HarvestPass = { kind: 'left' };

export const createPersonsGuard = (ports: HarvestPorts) => {
  const { limit, now, hashOf } = ports;
  const accounts = createAccounts<Account>();
  /** Accounts with somebody under way: as many as there are verifications, and none may be forgotten. */
  const busy = new Map<string, Account>();
  let waiters = 0;

  const leaveLine = (waiter: Waiter, pass: HarvestPass): void => {
    departures.forget(waiter);
    waiter.account.line.delete(waiter);
    waiters -= 1;
    waiter.resolve(pass);
  };
  const departures = createDepartures<Waiter>((waiter) => leaveLine(waiter, left));

  const find = (key: string): Account =>
    accounts.find(key) ??
    busy.get(key) ?? { beganAt: 0, isTold: false, unknown: new Set(), underWay: new Map(), line: new Set() };

  const renew = (account: Account): void => {
    if (account.unknown.size === 0 || !isOver(account, ports)) return;
    account.unknown.clear();
    account.isTold = false;
  };

  const noteUnknown = (account: Account, key: string, hash: number): void => {
    if (account.unknown.has(hash)) return;
    if (account.unknown.size === 0) account.beganAt = now();
    account.unknown.add(hash);
    accounts.keep(key, account, account.unknown.size);
  };

  const admit = (account: Account, { account: key }: HarvestQuestion, hash: number): HarvestPass => {
    const { underWay } = account;
    busy.set(key, account);
    underWay.set(hash, (underWay.get(hash) ?? 0) + 1);
    return {
      kind: 'admitted',
      settle: (told) => {
        const others = (underWay.get(hash) ?? 0) - 1;
        if (others > 0) underWay.set(hash, others);
        else underWay.delete(hash);
        renew(account);
        if (isToldUnknown(told)) noteUnknown(account, key, hash);
        callLine(account);
        if (underWay.size === 0) busy.delete(key);
      },
    };
  };

  /** One more answer about a mailbox that is counted already tells nothing new. */
  const isCounted = ({ unknown, underWay }: Account, hash: number): boolean =>
    unknown.has(hash) || underWay.has(hash);

  /** Null when it has to wait until it is known how many are unknown. */
  const decide = (account: Account, question: HarvestQuestion, hash: number): HarvestPass | null => {
    const { unknown, underWay } = account;
    if (unknown.size >= limit) return limitPass(question, account, unknown.size, ports);
    return unknown.size + underWay.size < limit || isCounted(account, hash)
      ? admit(account, question, hash)
      : null;
  };

  const callLine = (account: Account): void => {
    for (const waiter of account.line) {
      const pass = decide(account, waiter.question, waiter.hash);
      if (pass === null) return;
      leaveLine(waiter, pass);
    }
  };

  return {
    enter: (
      question: HarvestQuestion,
      signal: AbortSignal,
      patienceMs: number,
    ): HarvestPass | Promise<HarvestPass> => {
      const account = find(question.account);
      renew(account);
      // With a new window there may be room, for those first who came first.
      callLine(account);
      const hash = hashOf(question.mailbox);
      const pass = decide(account, question, hash);
      if (pass !== null) return pass;
      if (signal.aborted || waiters >= mostWaiters) return left;
      waiters += 1;
      return new Promise((resolve) => {
        const waiter = { account, question, hash, signal, dueAt: 0, resolve };
        account.line.add(waiter);
        departures.watch(waiter, patienceMs);
      });
    },
  };
};
