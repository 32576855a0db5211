import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Those are `npm run test:mta`.
    exclude: [...configDefaults.exclude, 'test/mta/**'],
    testTimeout: 20_000,
    // On two cores vitest would take one: half of the time is spent waiting for clocks and processes.
    maxWorkers: 2,
  },
  // As Node resolves them: else Vite takes graphql's `development` build for our files and Pothos takes the other.
  ssr: { resolve: { conditions: ['node', 'module-sync', 'default'] } },
});
