import type { Recipient } from './types.ts';

/**
 * What is left of a reply's text when the recipient's own words are taken out, and what the text says of time.
 *
 * Servers echo the address, and `inactive@`, `spam@` or `greylist.example` are then words of the asker, not of the
 * server. A local part that stands alone (`550 spam: no such user`) is taken out too, unless it is one of the plain
 * nouns below, which decide nothing by themselves but complete a phrase (`user@`: "user unknown"). Taking out too
 * much can only make us less sure.
 */

/** Ceiling of what patterns see; a longer text is a peer that wants our CPU. Real ones end within 600. */
export const MAX_TEXT_CHARACTERS = 2_000;

/** Ceiling of a stated delay, so that no server can park an address for longer. */
export const MAX_RETRY_SECONDS = 86_400;

const PLAIN_WORDS = new Set(
  (
    'a account active address all available be box by can cannot does email exist exists for found found. has have ' +
    'here host in invalid is known local mail mailbox me my name no not of on or please recipient recipients ' +
    'server such that the this to unknown user users valid with you your'
  ).split(' '),
);

/** Lower case, one space at a time, bounded, without the address that was asked about. */
export function normalizeText(text: string, recipient: Recipient | null): string {
  let words = ` ${text.slice(0, MAX_TEXT_CHARACTERS)} `.toLowerCase().replace(/[‘’`´]/g, "'");
  if (recipient !== null) {
    const domain = recipient.domain.toLowerCase();
    for (const localPart of spellings(recipient.localPart)) {
      words = takeOut(words, `${localPart}@${domain}`);
      words = takeOut(words, `${localPart}@`);
      if (!PLAIN_WORDS.has(localPart)) words = takeOut(words, localPart);
    }
    words = takeOut(words, domain);
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

/** Replaces `words` by a space wherever it stands as a word of its own. Linear: each place is looked at once. */
function takeOut(text: string, words: string): string {
  let rest = '';
  let from = 0;
  for (let at = text.indexOf(words); at !== -1; at = text.indexOf(words, at + words.length)) {
    const end = at + words.length;
    if (isWordPart(text[at - 1]) || (!words.endsWith('@') && isWordPart(text[end]))) continue;
    rest += `${text.slice(from, at)} `;
    from = end;
  }
  return rest + text.slice(from);
}

function isWordPart(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}_]/u.test(character);
}

/** The delay that a text in lower case states, in seconds; null when it states none. */
export function readDelaySeconds(text: string): number | null {
  const clock = /\b(?:in|after|for) (\d{1,3}):(\d{2}):(\d{2})\b/.exec(text);
  if (clock !== null) return bound(Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3]));
  const words =
    /(?:\b(?:in|after|for|wait|least|within|another|dans|après|через|nach|warten|noch)|≥|\() ?(?:at least |about |another |approximately )?(\d{1,5}) ?(s|secs?|seconds?|secondes?|sekunden?|секунд\p{L}?|m|mins?|minutes?|minuten?|минут\p{L}?|h|hrs?|hours?|heures?|stunden?|час\p{L}{0,2})(?!\p{L})/u.exec(
      text,
    );
  if (words === null) return null;
  const unit = words[2] ?? '';
  const factor = /^[hч]|^stu/.test(unit) ? 3600 : /^[mм]/.test(unit) ? 60 : 1;
  return bound(Number(words[1]) * factor);
}

function bound(seconds: number): number | null {
  return seconds === 0 ? null : Math.min(seconds, MAX_RETRY_SECONDS);
}

/** The code that qmail puts behind and Cisco in front of the text: `(#5.1.1)`, `#5.1.0 Address rejected`. */
export function readTrailingCode(text: string): string | null {
  return /#([45]\.\d{1,3}\.\d{1,3})\b/.exec(text)?.[1] ?? null;
}
