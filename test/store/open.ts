/** How a suite gets a store. */
import type { JobStore, WebhookStore } from '../../src/jobs/index.ts';

export type OpenStore = {
  readonly store: JobStore;
  readonly webhooks: WebhookStore;
  /** From now on nothing more fits on the disk, until `makeRoom`. Null where no disk can be had that may be filled. */
  readonly fillDisk: (() => Promise<void>) | null;
  readonly makeRoom: () => Promise<void>;
  /**
   * Closes it and opens what it left, when the leases of the process before are over; null when it leaves nothing.
   */
  readonly reopen: (() => Promise<OpenStore>) | null;
  readonly close: () => Promise<void>;
};
