import { defineConfig } from 'vitest/config';

// Real servers on a busy machine: a test that fails is tried once more, and scripts/test names it as flaky, to be mended.
const RETRIES_WITH_REAL_SERVERS = 1;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          // No module keeps state, so files need no fresh copy of every module: ten times less work.
          isolate: false,
          // The first test to load a lazily loaded command pays for its translation, which a busy machine makes slow.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'simulation',
          include: ['test/simulation/**/*.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'integration',
          retry: RETRIES_WITH_REAL_SERVERS,
          include: ['test/integration/**/*.test.ts', 'test/contract/**/*.test.ts', 'test/fuzz/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          retry: RETRIES_WITH_REAL_SERVERS,
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/e2e/take-down-lab.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'labs',
          retry: RETRIES_WITH_REAL_SERVERS,
          include: ['test/labs/**/*.test.ts', 'test/differential/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
