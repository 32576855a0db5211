/**
 * Policy files as they are remembered, so that a document which selects `mtaSts` a thousand times, or a thousand
 * documents, cost the policy host one request. A file stands under its host and the id of the TXT record, so
 * a new id is a new file (RFC 8461 §3.1).
 */
import { createMemory, type Memory } from '../memory.ts';
import type { PolicyFile } from './policy-file.ts';

export type PolicyFileMemory = Memory<PolicyFile>;

const FILE_LIFE_SECONDS = 300;
/** Somebody who mends a policy looks again soon. */
const PROBLEM_LIFE_SECONDS = 30;

/** @param now milliseconds, monotonic; default the process's own clock */
export const createPolicyFileMemory = (now: () => number = () => performance.now()): PolicyFileMemory =>
  createMemory<PolicyFile>({
    lifeSecondsOf: ({ kind }) =>
      kind === 'text' ? FILE_LIFE_SECONDS : kind === 'problem' ? PROBLEM_LIFE_SECONDS : 0,
    octetsOf: (file) => (file.kind === 'text' ? 2 * file.text.length : 100),
    aborted: { kind: 'failure', failure: 'ABORTED' },
    now,
    maxEntries: 1_000,
    maxOctets: 8 * 1024 * 1024,
  });
