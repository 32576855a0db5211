import type { MeaningKind, Phase } from './types.ts';

/**
 * One thing known about replies: a row with a real example and where it was seen. Whatever a row leaves out matches
 * everything. Patterns see the text in lower case, at most 2,000 characters, without the recipient's own address;
 * none has a nested quantifier, so each is linear in the text.
 */
export type Rule = {
  /** Stable; shown to people as the reason for a verdict. */
  readonly id: string;
  readonly kind: MeaningKind;
  readonly phases?: readonly Phase[];
  /** Reply codes; a single digit is the whole class. Default: 4 and 5. */
  readonly codes?: readonly number[];
  /** Enhanced status codes; `x` stands for any number: `x.1.1`, `5.7.x` (RFC 3463 §2). */
  readonly enhanced?: readonly string[];
  readonly pattern?: RegExp;
  /** Must match too. */
  readonly also?: RegExp;
  /** Must not match. */
  readonly unless?: RegExp;
  /** Provider ids of the catalog. */
  readonly providers?: readonly string[];
  /** A reply as it goes over the wire, its lines joined with a space. */
  readonly example: string;
  /** Software, vendor document or RFC. */
  readonly source: string;
};

/** One pattern out of phrases, a line each: any of them matches. */
export function anyOf(...phrases: readonly RegExp[]): RegExp {
  return new RegExp(phrases.map(({ source }) => source).join('|'), 'u');
}

/** What a rule looks at, prepared once for all rules. */
export type Subject = {
  readonly phase: Phase;
  readonly code: number;
  readonly enhancedCode: string | null;
  readonly providerId: string | null;
  readonly text: string;
};

/** Could the rule say something of a reply with this code in this phase? */
export function mayConcern({ phases, codes = REFUSALS }: Rule, phase: Phase, code: number): boolean {
  return (
    (phases === undefined || phases.includes(phase)) &&
    codes.some((wanted) => wanted === code || wanted === Math.floor(code / 100))
  );
}

/** For a rule that may concern the phase and the code. */
export function matchesRule(rule: Rule, { enhancedCode, providerId, text }: Subject): boolean {
  return (
    (rule.enhanced === undefined || matchesEnhanced(rule.enhanced, enhancedCode)) &&
    (rule.providers === undefined || (providerId !== null && rule.providers.includes(providerId))) &&
    (rule.pattern === undefined || rule.pattern.test(text)) &&
    (rule.also === undefined || rule.also.test(text)) &&
    (rule.unless === undefined || !rule.unless.test(text))
  );
}

const REFUSALS: readonly number[] = [4, 5];

function matchesEnhanced(wanted: readonly string[], code: string | null): boolean {
  if (code === null) return false;
  const parts = code.split('.');
  return wanted.some((row) => row.split('.').every((part, index) => part === 'x' || part === parts[index]));
}
