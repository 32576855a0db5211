/** Who may ask for what, in `extensions`; in the samples by `@granted(to: "verify")`. */
import { readFieldAccess } from '../../graphql/index.ts';
import type { Rule } from '../rule.ts';

export const access: readonly Rule[] = [
  {
    name: 'roots-are-granted',
    about: 'A field of Query, Mutation or Subscription says who may ask for it.',
    check: (element, schema) => {
      const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
      return element.kind === 'field' &&
        roots.some((root) => root === element.parent) &&
        readFieldAccess(element.it) === null
        ? 'does not declare who may ask for it'
        : null;
    },
    good: 'type Query { a: A @granted(to: "public") } type A { b: Int }',
    bad: [
      ['type Query { a: Int }', 'Query.a'],
      ['type Query { a: Int @granted(to: "public") } type Mutation { b: Int }', 'Mutation.b'],
    ],
  },
  {
    name: 'admins-are-named',
    about: 'A field that only admins may ask for says so.',
    check: (element) =>
      element.kind === 'field' &&
      readFieldAccess(element.it) === 'admin' &&
      !/\badmins?\b/i.test(element.it.description ?? '')
        ? 'is for admins and does not say so'
        : null,
    good: 'type A { "For admins." a: Int @granted(to: "admin") "Anybody\'s." b: Int @granted(to: "bulk") }',
    bad: [['type A { "Lanes." a: Int @granted(to: "admin") }', 'A.a']],
  },
];
