/** `npm run test:mta`: real mail servers from the system's packages, which not every machine has. */
import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

export default defineConfig({
  ...base,
  test: {
    include: ['test/mta/**/*.test.ts'],
    // Servers start in seconds on a busy machine, and some delay on purpose.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
