/** What lets the schema grow, and its parts go, without surprising anybody. */
import { DEFAULT_DEPRECATION_REASON, isEnumType } from 'graphql';
import { isDescribed } from '../elements.ts';
import type { Rule } from '../rule.ts';

export const growth: readonly Rule[] = [
  {
    name: 'described',
    about: 'Everything has a description that is a sentence: the schema is the manual.',
    check: (element) => (isDescribed(element) ? null : 'is not described in a sentence'),
    good: '"A thing." type A { "What it is." a("How many." b: Int): Int } "An enum." enum B { "A value." C }',
    bad: [
      ['type A { "What it is." a: Int }', 'A'],
      ['"A thing." type A { a: Int }', 'A.a'],
      ['"A thing." type A { "field a" a: Int }', 'A.a'],
      ['"A thing." type A { "What it is." a(b: Int): Int }', 'A.a(b:)'],
      ['"An enum." enum A { B }', 'A.B'],
      ['"An input." input AInput { a: Int }', 'AInput.a'],
      ['directive @a on FIELD', '@a'],
      ['"A directive." directive @a(b: Int) on FIELD', '@a(b:)'],
      ['scalar A', 'A'],
      ['union A = B "A thing." type B { "What it is." a: Int }', 'A'],
    ],
  },
  {
    name: 'open-enums',
    about: 'Every enum says that it may grow.',
    check: ({ kind, it }) =>
      kind === 'type' && isEnumType(it) && !/clients must tolerate/.test(it.description ?? '')
        ? 'does not say that clients must tolerate new values'
        : null,
    good: '"New values may be added: clients must tolerate them." enum A { B }',
    bad: [
      ['enum A { B }', 'A'],
      ['"All there is." enum A { B }', 'A'],
    ],
  },
  {
    name: 'deprecations',
    about: 'What is deprecated says in a sentence what to use instead, or why nothing.',
    check: ({ it }) => {
      const reason = 'deprecationReason' in it ? it.deprecationReason : undefined;
      if (reason === null || reason === undefined) return null;
      return reason !== DEFAULT_DEPRECATION_REASON && /^.{10,}\.$/s.test(reason)
        ? null
        : 'is deprecated without a reason';
    },
    good: 'type A { a: Int @deprecated(reason: "Use `b`, which counts all.") }',
    bad: [
      ['type A { a: Int @deprecated }', 'A.a'],
      ['type A { a: Int @deprecated(reason: "") }', 'A.a'],
      ['type A { a(b: Int @deprecated(reason: "old")): Int }', 'A.a(b:)'],
      ['enum A { B @deprecated(reason: "No.") }', 'A.B'],
      ['input AInput { a: Int @deprecated }', 'AInput.a'],
    ],
  },
];
