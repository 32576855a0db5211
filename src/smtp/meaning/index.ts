/**
 * Replies and what they mean: the only place where text of a server becomes a fact.
 *
 * `classifyReply` looks at the phase, the code, the enhanced code, the text and the provider, and gives one of a
 * closed set of meanings with the rule that decided. It refuses to guess in our favour: a reply is about the mailbox
 * only when it was said to RCPT TO and its words or its enhanced code name the recipient. When the blame is in doubt
 * it is ours, or nobody's.
 *
 * Rules are rows, tried in order, and the first that matches decides:
 *  1. `traps`       a provider's habits that mean something else than the code beside them;
 *  2. `pace`        greylisting and rate;
 *  3. `blame`       words that name us as the culprit, whatever the code is;
 *  4. `acquittals`  words that take the mailbox out of the question, whatever the code is;
 *  5. `codes`       enhanced status codes that name one cause (RFC 3463, 5248, 7372, 7504, 7505);
 *  6. `words`       phrases, where the code names only a family of causes (x.0.0, x.1.0, x.7.1, none at all);
 *  7. `rest`        what the bare code says in its phase; the last row of a phase matches whatever is left.
 *
 * Limits: text is cut at 2,000 characters, patterns are linear, a stated delay counts up to a day. Pure.
 */

import { acquittals } from './acquittals.ts';
import { blame } from './blame.ts';
import { codes } from './codes.ts';
import { pace } from './pace.ts';
import { rest } from './rest.ts';
import type { Rule, Subject } from './rule.ts';
import { matchesRule, mayConcern } from './rule.ts';
import { normalizeText, readCodeInText, readDelaySeconds } from './text.ts';
import { traps } from './traps.ts';
import type { Meaning, Phase, ReplyContext } from './types.ts';
import { words } from './words.ts';

export type { Rule } from './rule.ts';
export type * from './types.ts';

/** Every rule, in the order in which they are tried. */
export const rules: readonly Rule[] = [
  ...traps,
  ...pace,
  ...blame,
  ...acquittals,
  ...codes,
  ...words,
  ...rest,
];

/**
 * Rules that may concern a code in a phase, found once: one reply in two is a 250, which one rule of all concerns. At
 * most 3,200: eight phases and the codes from 200 to 599 that the reply reader lets through.
 */
const candidates = new Map<string, readonly Rule[]>();

const rulesFor = (phase: Phase, code: number): readonly Rule[] => {
  const key = `${phase} ${code}`;
  let found = candidates.get(key);
  if (found === undefined) {
    found = rules.filter((rule) => mayConcern(rule, phase, code));
    candidates.set(key, found);
  }
  return found;
};

/** What a reply means, and to whom. Never throws; a reply that fits no row is NOT_UNDERSTOOD. */
export function classifyReply({ phase, reply, recipient, providerId }: ReplyContext): Meaning {
  const text = normalizeText(reply.text, phase === 'RCPT_TO' ? recipient : null);
  const enhancedCode = reply.enhancedCode ?? readCodeInText(text);
  const subject: Subject = { phase, code: reply.code, enhancedCode, providerId, text };
  const rule = rulesFor(phase, reply.code).find((row) => matchesRule(row, subject));
  if (rule === undefined) return { kind: 'NOT_UNDERSTOOD', rule: 'no-rule', retryAfterSeconds: null };
  return {
    kind: rule.kind,
    rule: rule.id,
    retryAfterSeconds: Math.floor(reply.code / 100) === 4 ? readDelaySeconds(text) : null,
  };
}
