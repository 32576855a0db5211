/** Verdicts that survive a restart, as their receipts: the port of `verify` on the table of verdicts. */
import type { VerificationMemory } from '../../verify/index.ts';
import { printReceipt, readReceipt } from '../receipt.ts';
import type { VerdictTable } from './verdicts.ts';

export const createSqliteVerifications = (table: VerdictTable, now: () => Date): VerificationMemory => ({
  async recall(address) {
    const [body] = table.recall([address], now().getTime());
    return typeof body === 'string' ? readReceipt(body) : null;
  },
  async remember(address, verification) {
    const { checkedAt, expiresAt } = verification;
    const body = printReceipt(verification);
    await table.remember([[address, checkedAt.getTime(), expiresAt.getTime(), body]], now().getTime());
  },
});
