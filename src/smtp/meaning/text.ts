import type { Recipient } from './types.ts';

/**
 * What is left of a reply's text when the recipient's own words are taken out, and what the text says of time.
 *
 * Servers echo the address, and `inactive@`, `spam@` or `greylist.example` are then words of the asker, not of the
 * server. An address is recognised anywhere by its `@`. A local part that stands alone is taken out only where a
 * server would put an argument (`spam: no such user`, `unknown user "spam"`): elsewhere it is a word of the sentence,
 * and `sender@` must not turn "Sender address rejected: User unknown" into a verdict about the mailbox.
 */

/** Ceiling of what patterns see; a longer text is a peer that wants our CPU. Real ones end within 600. */
export const MAX_TEXT_CHARACTERS = 2_000;

/** Ceiling of a stated delay, so that no server can park an address for longer. */
export const MAX_RETRY_SECONDS = 86_400;

/** Nouns that decide nothing by themselves but complete a phrase: `unknown@` keeps its "user unknown". */
const PLAIN_WORDS = new Set(
  'account address exist found here known mailbox recipient unknown user valid'.split(' '),
);

/** Lower case, one space at a time, bounded, without the address that was asked about. */
export function normalizeText(text: string, recipient: Recipient | null): string {
  let words = ` ${text.slice(0, MAX_TEXT_CHARACTERS)} `.toLowerCase().replace(/[‘’`´]/g, "'");
  if (recipient !== null) {
    const domain = recipient.domain.toLowerCase();
    for (const localPart of spellings(recipient.localPart)) {
      words = takeOut(words, `${localPart}@${domain}`, isWord);
      words = takeOut(words, `${localPart}@`, isWord);
      if (!PLAIN_WORDS.has(localPart)) words = takeOut(words, localPart, isArgument);
    }
    words = takeOut(words, domain, isWord);
  }
  return words
    .replace(/<\s?>|\(\s?\)|\[\s?\]|"\s?"|'\s?'/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

/** A quoted local part is echoed with and without its quotes. */
function spellings(localPart: string): readonly string[] {
  const lower = localPart.toLowerCase();
  if (!/^".*"$/.test(lower)) return [lower];
  const bare = lower.slice(1, -1).replace(/\\(.)/g, '$1');
  return bare === '' ? [lower] : [lower, bare];
}

/** Replaces each `words` that stands right by a space. Linear: each place is looked at once. */
function takeOut(
  text: string,
  words: string,
  standsRight: (text: string, start: number, end: number) => boolean,
): string {
  let rest = '';
  let from = 0;
  for (let at = text.indexOf(words); at !== -1; at = text.indexOf(words, at + words.length)) {
    const end = at + words.length;
    if (!standsRight(text, at, end)) continue;
    rest += `${text.slice(from, at)} `;
    from = end;
  }
  return rest + text.slice(from);
}

/** Not the middle of a longer word. */
function isWord(text: string, start: number, end: number): boolean {
  return !isWordPart(text[start - 1]) && (text[end - 1] === '@' || !isWordPart(text[end]));
}

/** Between punctuation, or last and after the noun that it names: where a server puts what it was asked about. */
function isArgument(text: string, start: number, end: number): boolean {
  if (!isWord(text, start, end)) return false;
  const before = text.slice(Math.max(0, start - 12), start);
  const after = text.slice(end, end + 2);
  return (
    (/(?:^\s*|[:;,([<"'-]\s?)$/.test(before) && /^(?:\s*$|\s?[:;,)\]>"'(]|\.)/.test(after)) ||
    (/\b(?:user|mailbox|account|recipient|address|unknown|rcpt) $/.test(before) && /^[\s.]*$/.test(after))
  );
}

function isWordPart(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}_]/u.test(character);
}

const UNIT_SECONDS: readonly (readonly [RegExp, number])[] = [
  [/^(?:h|stunde|час|小时)/, 3600],
  [/^(?:m|мин|分)/, 60],
  [/^(?:s|сек|秒)/, 1],
];

/** The delay that a text in lower case states, in seconds; null when it states none. */
export function readDelaySeconds(text: string): number | null {
  const clock = /\b(?:in|after|for) (\d{1,3}):(\d{2}):(\d{2})\b/.exec(text);
  if (clock !== null) return bound(Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3]));
  const [, amount, unit = ''] =
    /(?:\b(?:in|after|for|wait|within|another|dans|après|nach|noch)|через|请在) ?(?:at least |about |another )?(\d{1,5}) ?(s|secs?|seconds?|secondes?|sekunden?|секунд\p{L}?|秒|m|mins?|minutes?|minuten?|минут\p{L}?|分钟|h|hrs?|hours?|heures?|stunden?|час\p{L}{0,2}|小时)(?![a-zа-я])/u.exec(
      text,
    ) ?? [];
  const factor = UNIT_SECONDS.find(([pattern]) => pattern.test(unit))?.[1];
  return amount === undefined || factor === undefined ? null : bound(Number(amount) * factor);
}

function bound(seconds: number): number | null {
  return seconds === 0 ? null : Math.min(seconds, MAX_RETRY_SECONDS);
}

/** The code that qmail puts behind and Cisco in front of the text: `(#5.1.1)`, `#5.1.0 Address rejected`. */
export function readCodeInText(text: string): string | null {
  return /#([45]\.\d{1,3}\.\d{1,3})\b/.exec(text)?.[1] ?? null;
}
