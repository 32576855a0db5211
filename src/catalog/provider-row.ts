import type { Provider } from './types.ts';

/** What the tables hold of a provider beside what the other rooms see. */
export type ProviderRow = Provider & {
  /**
   * Names of its mail exchanges: the host itself or anything below it. A `*` stands for one whole label. The longest name
   * that fits decides, so that `olc.protection.outlook.com` may differ from `protection.outlook.com`.
   */
  readonly exchanges: readonly string[];
  /** Domains in which it gives mailboxes to the public, A-label form; exact, without what is below them. */
  readonly domains?: readonly string[];
  /** Must one pay for a mailbox in `domains`? Default false. */
  readonly isPaid?: true;
};
