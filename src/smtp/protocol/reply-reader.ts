/**
 * Octets in, replies out (RFC 5321 §4.2). Takes any split of the stream and gives the same replies for each.
 *
 * Believes nobody: line, lines and reply have ceilings that hold while octets arrive, not only once a reply is
 * whole. Tolerates what real servers do (a bare LF, `250` without text, lines far over 512 octets) and refuses what
 * would let two readers see two different dialogues (a code that changes between lines, a line without a code).
 * After a fault it reads nothing more: it gives the same fault again.
 */
import type { Reply, ReplyFault } from './types.ts';

/** RFC 5321 §4.5.3.1.5 says 512 with CRLF; servers that fold a URL or a policy text into one line exceed it. */
export const MAX_LINE_OCTETS = 4096;
/** The longest EHLO replies seen have about 30 lines; this ends a reply that never ends. */
export const MAX_REPLY_LINES = 100;
/** Bounds what one reply may keep in memory, whatever its lines are. */
export const MAX_REPLY_OCTETS = 65_536;

const LF = 10;
const CR = 13;
const SPACE = 32;
const HYPHEN = 45;
const ZERO = 48;
const SAMPLE_CHARACTERS = 60;

export type ReadReplies = { readonly replies: readonly Reply[]; readonly fault: ReplyFault | null };

export type ReplyReader = {
  /** Replies that these octets completed, in order, and the fault that ended the reading, if one did. */
  push(bytes: Uint8Array): ReadReplies;
  /** Forgets everything held, a fault included: what came before STARTTLS must not be read after it (RFC 3207 §4.2). */
  discard(): void;
  /** Kept of a reply that is not whole yet: room for a line, and the lines before it. */
  readonly heldOctets: number;
};

// A BOM is not stripped: it makes the line no reply, which it is not.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
/** Controls but the tab, and what reorders or breaks lines on a terminal or a page. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is what it is for
const unprintable = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const onlyPrintableAscii = /^[\t\u0020-\u007e]*$/;

const decodeText = (octets: Uint8Array): string => {
  const text = decoder.decode(octets);
  return onlyPrintableAscii.test(text) ? text : text.replace(unprintable, '\ufffd');
};

const sample = (octets: Uint8Array): string => decodeText(octets.subarray(0, SAMPLE_CHARACTERS));

/** The reply code of a line (RFC 5321 §4.2: 2–5, then two digits), or null. */
const readCode = (line: Uint8Array): number | null => {
  if (line.length < 3) return null;
  let code = 0;
  for (let index = 0; index < 3; index++) {
    const digit = (line[index] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return null;
    code = code * 10 + digit;
  }
  return code >= 200 && code <= 599 ? code : null;
};

const enhanced = /^([245]\.\d{1,3}\.\d{1,3})(?:[ \t]+|$)/;

/**
 * Every line must carry the same one, and its class must agree with the code's (RFC 2034 §4): a server that
 * contradicts itself is believed by its code, as Postfix does, and the text stays whole.
 */
const makeReply = (code: number, texts: readonly string[]): Reply => {
  const enhancedCode = enhanced.exec(texts[0] ?? '')?.[1] ?? null;
  const isStated =
    enhancedCode !== null &&
    Number(enhancedCode[0]) === Math.trunc(code / 100) &&
    texts.every((text) => enhanced.exec(text)?.[1] === enhancedCode);
  const lines = isStated ? texts.map((text) => text.replace(enhanced, '')) : texts;
  return { code, enhancedCode: isStated ? enhancedCode : null, lines, text: lines.join(' ') };
};

const NOTHING = new Uint8Array(0);

/** Reads one stream. A class, and nothing held between replies: thousands of them listen at once. */
class Reader implements ReplyReader {
  /** The start of a line whose end has not come. */
  #held = NOTHING;
  #heldLength = 0;
  #code: number | null = null;
  #texts: string[] | null = null;
  #octets = 0;
  #fault: ReplyFault | null = null;

  push(bytes: Uint8Array): ReadReplies {
    const replies: Reply[] = [];
    let start = 0;
    while (this.#fault === null && start < bytes.length) {
      const end = bytes.indexOf(LF, start);
      const piece = bytes.subarray(start, end === -1 ? bytes.length : end);
      // One octet over for the CR that belongs to the ending.
      if (this.#heldLength + piece.length > MAX_LINE_OCTETS + 1) {
        this.#stop('lineTooLong', `a line of more than ${MAX_LINE_OCTETS} octets`);
        break;
      }
      if (end === -1) {
        this.#hold(piece);
        break;
      }
      start = end + 1;
      const reply = this.#readLine(this.#complete(piece));
      if (reply) replies.push(reply);
    }
    return { replies, fault: this.#fault };
  }

  discard(): void {
    this.#forget();
    this.#fault = null;
  }

  get heldOctets(): number {
    return this.#held.length + this.#octets;
  }

  #forget(): void {
    this.#held = NOTHING;
    this.#heldLength = 0;
    this.#code = null;
    this.#texts = null;
    this.#octets = 0;
  }

  #stop(kind: ReplyFault['kind'], detail: string): null {
    this.#forget();
    this.#fault = { kind, detail };
    return null;
  }

  #hold(bytes: Uint8Array): void {
    if (this.#heldLength + bytes.length > this.#held.length) {
      const grown = new Uint8Array(Math.max(256, 2 * (this.#heldLength + bytes.length)));
      grown.set(this.#held.subarray(0, this.#heldLength));
      this.#held = grown;
    }
    this.#held.set(bytes, this.#heldLength);
    this.#heldLength += bytes.length;
  }

  /** The whole line that ends with this piece. */
  #complete(piece: Uint8Array): Uint8Array {
    if (this.#heldLength === 0) return piece;
    this.#hold(piece);
    const line = this.#held.subarray(0, this.#heldLength);
    this.#held = NOTHING;
    this.#heldLength = 0;
    return line;
  }

  #readLine(withEnding: Uint8Array): Reply | null {
    let length = withEnding.length;
    while (length > 0 && withEnding[length - 1] === CR) length--;
    const line = withEnding.subarray(0, length);
    if (length > MAX_LINE_OCTETS)
      return this.#stop('lineTooLong', `a line of more than ${MAX_LINE_OCTETS} octets`);
    const code = readCode(line);
    const separator = line[3] ?? SPACE;
    if (code === null || (separator !== SPACE && separator !== HYPHEN))
      return this.#stop('notAReply', `not an SMTP reply: ${JSON.stringify(sample(line))}`);
    if (this.#code !== null && this.#code !== code)
      return this.#stop('codeChanged', `the code changed from ${this.#code} to ${code} within one reply`);
    this.#code = code;
    this.#octets += length;
    if (this.#octets > MAX_REPLY_OCTETS)
      return this.#stop('replyTooLong', `a reply of more than ${MAX_REPLY_OCTETS} octets`);
    const text = decodeText(line.subarray(4));
    if (this.#texts === null) this.#texts = [text];
    else if (this.#texts.length === MAX_REPLY_LINES)
      return this.#stop('tooManyLines', `a reply of more than ${MAX_REPLY_LINES} lines`);
    else this.#texts.push(text);
    if (separator === HYPHEN) return null;
    const reply = makeReply(code, this.#texts);
    this.#code = null;
    this.#texts = null;
    this.#octets = 0;
    return reply;
  }
}

export const createReplyReader = (): ReplyReader => new Reader();

/** The lines of a reply as they were on the wire, without CRLF; for a transcript. */
export const printReplyLines = (reply: Reply): readonly string[] =>
  reply.lines.map((line, index) => {
    const separator = index === reply.lines.length - 1 ? ' ' : '-';
    const text = reply.enhancedCode === null ? line : `${reply.enhancedCode} ${line}`;
    return `${reply.code}${separator}${text}`.trimEnd();
  });
