import type { Reply } from '../protocol/types.ts';

/** A reply from its one-line spelling in rules and corpus: code, enhanced code if any, text. */
export function parseExample(line: string): Reply {
  const [, code = '', enhancedCode = null, text = ''] =
    /^(\d{3})(?:[ -]([245]\.\d{1,3}\.\d{1,3})(?= |$))? ?(.*)$/s.exec(line) ?? [];
  return { code: Number(code), enhancedCode, lines: [text], text };
}
