import { afterEach, expect, test, vi } from 'vitest';
import { stderrLogger } from './log.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

test.each(['error', 'audit'] as const)('%s: one JSON object a line, with its level', (level) => {
  const lines: unknown[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((line) => lines.push(line) > 0);
  stderrLogger[level]('something', { keyId: 'key', detail: 'two\nlines' });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^\{.*\}\n$/);
  expect(JSON.parse(String(lines[0]))).toEqual({
    at: expect.stringMatching(/^\d{4}-.*Z$/),
    level,
    event: 'something',
    keyId: 'key',
    detail: 'two\nlines',
  });
});
