import { expect, test } from 'vitest';
import { parseExample } from './example.ts';
import { classifyReply, rules } from './index.ts';

const recipient = { localPart: 'jo', domain: 'example.com' };

test.each(rules.map((rule) => [rule.id, rule] as const))('%s: its example is decided by it', (_, rule) => {
  const meaning = classifyReply({
    phase: rule.phases?.[0] ?? 'RCPT_TO',
    reply: parseExample(rule.example),
    recipient,
    providerId: rule.providers?.[0] ?? null,
  });
  expect(meaning).toMatchObject({ kind: rule.kind, rule: rule.id });
});
