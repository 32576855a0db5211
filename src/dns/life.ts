/** How long an answer is believed. */
import type { DnsAnswer } from './wire.ts';

/**
 * The floor keeps a bulk list of one domain with TTL 0 from asking for each address; the ceiling is what a moved
 * exchange costs at most, since an answer may always be forgotten before its TTL (RFC 2181 §8).
 */
const TTL_FLOOR_SECONDS = 30;
const TTL_CEILING_SECONDS = 3_600;
/** node:dns tells no TTL for MX, TXT and PTR (Node 26.10, `ttl` and ANY included): the low end of what zones publish. */
const UNTOLD_TTL_SECONDS = 300;
/** It tells no SOA either: short, because a domain that was just set up is asked about by its owner. */
const NEGATIVE_TTL_SECONDS = 60;
/** RFC 9520 §3.2: remember a failure for 1 s at least and 5 min at most; the retry of a person must not meet it. */
const FAILURE_TTL_SECONDS = 5;

/** Seconds; 0 for what says nothing about the question: our own ceiling, and an asker's impatience. */
export const lifeSecondsOf = (answer: DnsAnswer): number => {
  switch (answer.kind) {
    case 'records':
      return answer.ttlSeconds === null
        ? UNTOLD_TTL_SECONDS
        : Math.min(TTL_CEILING_SECONDS, Math.max(TTL_FLOOR_SECONDS, answer.ttlSeconds));
    case 'nodata':
    case 'nxdomain':
      return NEGATIVE_TTL_SECONDS;
    case 'failure':
      return answer.failure === 'ABORTED' || answer.failure === 'OVERLOADED' ? 0 : FAILURE_TTL_SECONDS;
  }
};

/** What remembering it costs, roughly: two octets a character and a small object for each record. */
export const octetsOf = (answer: DnsAnswer): number =>
  answer.kind === 'records' ? answer.records.reduce((sum, { text }) => sum + 2 * text.length + 50, 0) : 0;
