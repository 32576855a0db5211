/** How a suite gets a store. */
import type { JobStore, WebhookStore } from '../../src/jobs/index.ts';

export type OpenStore = {
  readonly store: JobStore;
  readonly webhooks: WebhookStore;
  /** From now on nothing more fits on the disk, until `makeRoom`. */
  readonly fillDisk: () => Promise<void>;
  readonly makeRoom: () => Promise<void>;
  /** Closes it and opens what it left as the only process; null when it leaves nothing. */
  readonly reopen: (() => Promise<OpenStore>) | null;
  readonly close: () => Promise<void>;
};
