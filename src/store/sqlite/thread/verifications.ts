/**
 * The memory of verdicts in the store's thread. What a turn of the event loop asks and remembers crosses as one
 * message each; receipts cross as they are kept, as text.
 */
import type { VerificationMemory } from '../../../verify/index.ts';
import { printReceipt, readReceipt } from '../../receipt.ts';
import type { KeptVerdict, VerdictTable } from '../verdicts.ts';

/** Of one message: what a thousand verifications under way ask in one turn must not hold up the thread. */
const mostAtOnce = 256;

type RemoteTable = {
  [Method in 'recall' | 'remember']: (
    ...args: Parameters<VerdictTable[Method]>
  ) => Promise<Awaited<ReturnType<VerdictTable[Method]>>>;
};

/** Gathers what one turn gives and does it as one; everybody gets its own part of the answer. */
const createGatherer = <Item, Answer>(work: (items: readonly Item[]) => Promise<readonly Answer[]>) => {
  type Gathered = { readonly items: Item[]; readonly answers: Promise<readonly Answer[]> };
  let open: Gathered | null = null;
  return async (item: Item): Promise<Answer> => {
    if (open === null) {
      const items: Item[] = [];
      const turn = new Promise<void>((resolve) => setImmediate(resolve));
      const gathered: Gathered = {
        items,
        answers: turn.then(() => {
          if (open === gathered) open = null;
          return work(items);
        }),
      };
      open = gathered;
    }
    const { items, answers } = open;
    const place = items.push(item) - 1;
    if (items.length === mostAtOnce) open = null;
    return (await answers)[place] as Answer;
  };
};

export const createRemoteVerifications = (table: RemoteTable, now: () => Date): VerificationMemory => {
  const recall = createGatherer<string, string | null>((addresses) =>
    table.recall(addresses, now().getTime()),
  );
  const remember = createGatherer<KeptVerdict, undefined>(async (verdicts) => {
    await table.remember(verdicts, now().getTime());
    return [];
  });
  return {
    async recall(address) {
      const body = await recall(address);
      return body === null ? null : readReceipt(body);
    },
    async remember(address, verification) {
      const { checkedAt, expiresAt } = verification;
      const body = printReceipt(verification);
      await remember([address, checkedAt.getTime(), expiresAt.getTime(), body]);
    },
  };
};
