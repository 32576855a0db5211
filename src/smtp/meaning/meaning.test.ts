import { expect, test } from 'vitest';
import type { Reply } from '../protocol/types.ts';
import { classifyReply, rules } from './index.ts';

const recipient = { localPart: 'jo', domain: 'example.com' };

function reply(line: string): Reply {
  const [, code = '0', enhancedCode = null, text = ''] =
    /^(\d{3})(?: ([245]\.\d+\.\d+))? ?(.*)$/s.exec(line) ?? [];
  return { code: Number(code), enhancedCode, lines: [text], text };
}

test.each(rules.map((rule) => [rule.id, rule] as const))('%s: its example is decided by it', (_, rule) => {
  const meaning = classifyReply({
    phase: rule.phases?.[0] ?? 'RCPT_TO',
    reply: reply(rule.example),
    recipient,
    providerId: rule.providers?.[0] ?? null,
  });
  expect(meaning).toMatchObject({ kind: rule.kind, rule: rule.id });
});
