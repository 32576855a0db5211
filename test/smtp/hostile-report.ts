/** What the process that measures and the test that judges have in common. */
import { hostile } from '../../src/sandbox/personalities/hostile.ts';
import { names } from '../../src/sandbox/personalities/names.ts';

/** Those that break a protocol, or lead where nobody should go. */
export const hostileRows = [
  ...hostile,
  ...names.filter(({ name }) => /^(thousand|mx-|cname|dns-)/.test(name)),
];

/** What asking one hostile personality cost the process that asked. */
export type HostileReport = {
  readonly name: string;
  readonly expected: string;
  /** Each `STATUS REASON` that was found. */
  readonly reasons: readonly string[];
  readonly slowestMs: number;
  /** Read from one connection at most. */
  readonly mostOctets: number;
  /** Heap and buffers that were still held after a forced collection, beyond those before. */
  readonly grown: number;
  /** Addresses that one probe tried at most. */
  readonly attempts: number;
  readonly hasEvidence: boolean;
  /** Of the honest lane beside it. */
  readonly answers: number;
  readonly slowestHonestMs: number;
};
