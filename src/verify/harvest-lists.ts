/**
 * The harvest guard of lists. An old list of a company, or of a large provider's customers, has many dead addresses and is
 * no guessing: a list is limited at ten times the limit of persons, and only while more of the domain's mailboxes were
 * unknown than known. From then on the rest of the domain's rows settle so until the window ends.
 *
 * Nobody stands in line, for the sake of speed: rows that are under way at that moment are still told. An acceptance is
 * counted once a person, whatever the case and the tag of the address: nobody makes a list of guesses look honest by
 * `ada+1@`, `ada+2@` and `ADA@` among them. Verdicts that say nothing of the mailbox count on neither side.
 */
import { addDistinct, clearDistinct, countDistinct, createDistinct, type Distinct } from './distinct.ts';
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
import type { Verification } from './types.ts';

/** A list is limited at so many times the limit of persons. */
const timesOfPersons = 10;
/** Mailboxes of an account that are counted exactly, at least: with so many, an estimate is within four percent or so. */
const leastExact = 1_000;

type Account = HarvestWindow & {
  readonly unknown: Distinct;
  readonly known: Distinct;
  isLimited: boolean;
};

const isToldKnown = (told: Verification | null): boolean =>
  told !== null && (told.status === 'DELIVERABLE' || told.status === 'RISKY');

/** The person behind it, roughly: in lower case, and without what follows a `+`. */
const personOf = (mailbox: string): string => mailbox.toLowerCase().replace(/\+.*(?=@)/u, '');

export const createListsGuard = (ports: HarvestPorts) => {
  const { now, hashOf } = ports;
  const limit = ports.limit * timesOfPersons;
  const exact = Math.max(limit, leastExact);
  const accounts = createAccounts<Account>();

  const open = (): Account => ({
    beganAt: now(),
    isTold: false,
    isLimited: false,
    unknown: createDistinct(exact),
    known: createDistinct(exact),
  });

  const renew = (account: Account): void => {
    if (!isOver(account, ports)) return;
    clearDistinct(account.unknown);
    clearDistinct(account.known);
    account.isLimited = account.isTold = false;
    account.beganAt = now();
  };

  const note = ({ account: key, mailbox }: HarvestQuestion, told: Verification | null): void => {
    const isUnknown = isToldUnknown(told);
    if (!isUnknown && !isToldKnown(told)) return;
    const account = accounts.find(key) ?? open();
    renew(account);
    const { unknown, known } = account;
    const before = unknown.kept.size + known.kept.size;
    if (isUnknown) addDistinct(unknown, hashOf(mailbox));
    else addDistinct(known, hashOf(personOf(mailbox)));
    const unknownCount = countDistinct(unknown);
    if (unknownCount >= limit && unknownCount > countDistinct(known)) account.isLimited = true;
    const hashes = unknown.kept.size + known.kept.size;
    if (hashes !== before) accounts.keep(key, account, hashes);
  };

  return {
    enter: (question: HarvestQuestion): HarvestPass => {
      const account = accounts.find(question.account);
      if (account?.isLimited && !isOver(account, ports))
        return limitPass(question, account, countDistinct(account.unknown), ports);
      return { kind: 'admitted', settle: (told) => note(question, told) };
    },
  };
};
