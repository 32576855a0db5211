/** Those who watch their probe in one lane: what is done to open a session is done for all who wait for one. */
import { FewSet } from './few.ts';
import type { Probe } from './probe.ts';
import type { ProbeEvent } from './types.ts';

export class Watchers {
  readonly #watched = new FewSet<Probe>();

  add(probe: Probe): void {
    this.#watched.add(probe);
    probe.whenAnswered(() => this.#watched.delete(probe));
  }

  tellWaiting(event: ProbeEvent): void {
    for (const probe of this.#watched) if (probe.isWaiting) probe.tell(event);
  }
}
