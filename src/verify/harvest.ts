/**
 * The directory-harvest guard: who asks a domain about mailbox after mailbox that is not there is guessing addresses, and
 * mail servers block whoever helps with that. For each API key and domain it counts the different mailboxes that the
 * key was told are unknown, within a window that begins with the first; at `limit` nothing more of the domain is
 * answered until the window ends: no probe, no DNS, and no look at what is remembered, since that would tell as much.
 *
 *  - `harvest-persons.ts`  who asks in person: the plain limit, held for those who ask at the same time too. Where strangers
 *    share a key, as the visitors of a page do, it holds for each, and twenty times as many for all of them: one who guesses
 *    must not close a provider's domain for the others, and many who do must not have the limit each;
 *  - `harvest-lists.ts`    rows of lists: ten times the limit, and more unknown than known.
 *
 * A domain is the highest name under one owner (`corp.example` for `x.eu.corp.example`), of the canonical mailbox: else a
 * wildcard MX, a provider's synonym or `anything@alice.fastmail.com` gave a guesser a fresh count for each guess. Domains of
 * different owners are never one, whoever runs their exchanges: `ada@a.example` and `ada@b.example` are two people.
 *
 * Refuses to keep addresses: a mailbox is 32 bits of a salted hash. Counts in this process alone, and forgets when it
 * ends: N gateways behind one address allow N times the limit at most.
 */
import { hash, randomBytes } from 'node:crypto';
import { type EmailAddress, printCanonical } from '../address/index.ts';
import { ownedDomain } from '../catalog/index.ts';
import type { Priority } from '../smtp/index.ts';
import type { HarvestPass, HarvestPorts, HarvestQuestion } from './harvest-account.ts';
import { createListsGuard } from './harvest-lists.ts';
import { createPersonsGuard } from './harvest-persons.ts';
import type { VerifyOptions } from './types.ts';

/** Somebody was refused an answer for the first time in a window. Holds no address. */
export type HarvestLimited = {
  /** The id of the API key. */
  readonly owner: string;
  readonly domain: string;
  readonly priority: Priority;
  /** Different mailboxes of the domain that it was told are unknown; of a long list about so many. */
  readonly unknownMailboxes: number;
  /** When the domain is answered again. */
  readonly until: Date;
};

export type HarvestOptions = {
  /** Different unknown mailboxes of one domain in a window, at least 1: RCPT_HARVEST_LIMIT. */
  readonly limit: number;
  /** Default: an hour. */
  readonly windowMs?: number;
  /** Told once for each key, domain and window. */
  readonly onLimited?: (limited: HarvestLimited) => void;
};

export type HarvestGuard = {
  /** At once, unless a person has to wait for those who ask already. Never rejects. */
  enter(
    owner: string,
    address: EmailAddress,
    asked: Pick<VerifyOptions, 'priority' | 'signal' | 'client'> & { readonly patienceMs: number },
  ): HarvestPass | Promise<HarvestPass>;
};

const usualWindowMs = 3_600_000;
/** What all clients of a shared key together may be told, in limits of one. */
const clientsAtOnce = 20;

export const createHarvestGuard = (
  options: HarvestOptions & { readonly now: () => number },
): HarvestGuard => {
  const { limit, windowMs = usualWindowMs, now, onLimited = () => undefined } = options;
  // Nobody outside the process can tell which mailbox a hash is of, or find two with the same.
  const salt = randomBytes(16).toString('base64');
  const portsOf = (priority: Priority, most: number = limit): HarvestPorts => ({
    limit: most,
    windowMs,
    now,
    // By way of hexadecimal digits, which takes half as long as a Buffer.
    hashOf: (mailbox) => Number.parseInt(hash('sha256', `${salt} ${mailbox}`, 'hex').slice(0, 8), 16) | 0,
    tell: ({ owner, domain }, unknownMailboxes, until) =>
      onLimited({ owner, domain, priority, unknownMailboxes, until: new Date(until) }),
  });
  const persons = createPersonsGuard(portsOf('interactive'));
  const crowds = createPersonsGuard(portsOf('interactive', limit * clientsAtOnce));
  const lists = createListsGuard(portsOf('bulk'));

  /** As a client first, which is the narrower door, then as one of the key's. */
  const enterTwice = async (
    question: HarvestQuestion,
    client: string,
    signal: AbortSignal,
    patienceMs: number,
  ): Promise<HarvestPass> => {
    const enteredAt = now();
    const own = await persons.enter(
      { ...question, account: `${client} ${question.account}` },
      signal,
      patienceMs,
    );
    if (own.kind !== 'admitted') return own;
    const all = await crowds.enter(question, signal, Math.max(1, patienceMs - (now() - enteredAt)));
    if (all.kind !== 'admitted') {
      own.settle(null);
      return all;
    }
    return {
      kind: 'admitted',
      settle: (told) => {
        own.settle(told);
        all.settle(told);
      },
    };
  };
  return {
    enter: (owner, address, { priority, signal, patienceMs, client = null }) => {
      const mailbox = printCanonical(address);
      const name = mailbox.slice(mailbox.lastIndexOf('@') + 1);
      const domain = ownedDomain(name) ?? name;
      const question = { owner, domain, account: `${owner} ${domain}`, mailbox };
      if (priority === 'bulk') return lists.enter(question);
      return client === null
        ? persons.enter(question, signal, patienceMs)
        : enterTwice(question, client, signal, patienceMs);
    },
  };
};
