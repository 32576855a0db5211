/**
 * Domains for lists of any length, on scripted servers since these answer six times as fast as the library's
 * (numbers at `library-server.ts`). Their names carry a mix that is as skewed as real lists are (`example-list.ts`).
 */
import { exists, mx, notFound, type Personality, risky, unknown } from '../personality.ts';
import { accept } from '../script.ts';
import { greylisting } from './waiting.ts';

/** Domains of five customers each share one set of exchanges: their lanes are one lane. */
const hosting = (number: number): Personality => {
  const name = `hosting${number}`;
  const domains = Array.from({ length: 5 }, (_, index) => `bulk${(number - 1) * 5 + index + 1}.test`);
  return {
    name,
    about: `A hoster: ${domains[0]} to ${domains[4]} share its exchanges. Knows and refuses as accepts.test does.`,
    server: { script: {} },
    zones: (ipOf) => ({
      ...Object.fromEntries(domains.map((domain) => [domain, mx(`mx1.${name}.test`, `mx2.${name}.test`)])),
      [`mx1.${name}.test`]: { a: [ipOf(name)] },
      [`mx2.${name}.test`]: { a: [ipOf(name)] },
    }),
    examples: [{ address: `user1@${domains[0]}`, expected: exists }],
  };
};

export const bulk: readonly Personality[] = [
  {
    name: 'bulk',
    about: 'A large provider, for lists: knows and refuses as accepts.test does, and fast.',
    server: { script: {} },
    examples: [
      { address: 'user1', expected: exists },
      { address: 'nobody', expected: notFound },
    ],
  },
  hosting(1),
  hosting(2),
  hosting(3),
  hosting(4),
  {
    name: 'bulk-catch-all',
    about: 'A catch-all, for lists.',
    server: { script: { manners: { RCPT: accept } } },
    examples: [{ address: 'user1', expected: risky('CATCH_ALL') }],
  },
  {
    name: 'bulk-greylisting',
    about: 'Greylists each triplet for 3 seconds, for lists.',
    server: { script: greylisting },
    examples: [{ address: 'user1', expected: unknown('GREYLISTED') }],
  },
];
