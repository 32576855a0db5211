/**
 * What processes tell each other of domains and exchanges, so that the second one does not ask again: the port that a
 * store implements, and the names under which facts are kept.
 *
 * A fact is about a subject. What is a property of the domain or of its exchanges (a catch-all, recipients of a
 * transaction) is one of everybody; what the exchange knows by our address (sessions at once, greylisting, a block)
 * holds only for processes that are seen at the same source.
 *
 * Refuses personal data: subjects are domains and sets of exchanges, the only local parts are made-up ones, and replies
 * are those that a lane would show to anybody. Refuses to trust: whoever reads a value validates it.
 */
import { createHash } from 'node:crypto';
import type { DomainName } from '../address/index.ts';

export type Fact = {
  /** At most MAX_SUBJECT_LENGTH characters of ASCII. */
  readonly subject: string;
  /** Which of the facts about the subject; one value each. */
  readonly kind: string;
  /** Plain JSON. */
  readonly value: unknown;
};

export type SharedFacts = {
  /**
   * All that is known of the subjects and still lives, by the store's own clock. Rejects when the store fails.
   * @returns `leftMs`: for how long each is still to be believed
   */
  recall(
    subjects: readonly string[],
  ): Promise<readonly (Fact & { /** More than 0. */ readonly leftMs: number })[]>;
  /** Replaces what was known of the same kind. No subject and kind comes twice in one call. Rejects when the store fails. */
  remember(facts: readonly (Fact & { readonly lifeMs: number })[]): Promise<void>;
};

/** Something that a lane or the memory of catch-alls learned, and until when (epoch ms) it is believed. */
export type Learned = { readonly kind: string; readonly value: unknown; readonly until: number };

/** An index row of a store must hold it, however many exchanges a set has. */
export const MAX_SUBJECT_LENGTH = 300;
const MAX_NAME_LENGTH = 120;

/** The text, or a digest where it is too long or not plain. */
const shorten = (text: string): string =>
  text.length <= MAX_NAME_LENGTH && /^[!-~ ]*$/.test(text)
    ? text
    : `#${createHash('sha256').update(text).digest('base64url')}`;

/** @param source null: of the domain as such */
export const domainSubject = (domain: DomainName, source: string | null): string =>
  source === null ? `domain ${shorten(domain)}` : `domain ${shorten(domain)} from ${shorten(source)}`;

/**
 * @param key of a lane
 * @param source null: of the exchanges as such
 */
export const laneSubject = (key: string, source: string | null): string =>
  source === null ? `exchanges ${shorten(key)}` : `exchanges ${shorten(key)} from ${shorten(source)}`;
