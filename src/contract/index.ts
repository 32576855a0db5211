/**
 * What the public schema must keep: rules of taste and of promise, checked before a commit (`rcpt schema --check`).
 *
 * - `rules/`: one rule a row, with a schema that keeps it and schemas that break it. What a rule lets pass stands in
 *   the row too, by path and with the reason; an exception that nothing needs is a fault.
 * - `changes`: what differs from `schema/released.graphql`, the schema that clients have. What could break one of them
 *   fails, unless a changeset says it in the same words, and why.
 *
 * graphql-eslint does not run here: it wants graphql 16 and ESLint. Knows nothing of files and prints nothing.
 */
export { type Changeset, findChanges, readChangeset } from './changes.ts';
export { elementsOf, isDescribed } from './elements.ts';
export { checkRules } from './rule.ts';
export { rules } from './rules/index.ts';
