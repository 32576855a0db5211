/**
 * What was said in one session, kept so that each recipient's receipt shows its own lines and nobody else's: an
 * address is personal data, and a batch holds many. The lines before the first transaction are shared by all
 * receipts of the session, so a receipt costs a dozen pointers.
 */
import { MAX_TRANSCRIPT_CHARACTERS, MAX_TRANSCRIPT_ENTRIES } from './limits.ts';
import { printReplyLines, type Reply } from './protocol/index.ts';
import type { TranscriptEntry } from './types.ts';

/**
 * A line with its place in the session, since commands of a batch all go out before the first reply comes. It becomes an
 * entry when somebody is to see it, once for all who do: most sessions that are open have shown nothing yet.
 */
export class LogLine {
  readonly sequence: number;
  readonly #log: SessionLog;
  readonly #msLater: number;
  readonly #direction: TranscriptEntry['direction'];
  readonly #text: string;
  #entry: TranscriptEntry | null = null;

  /** @param msLater than the log began */
  constructor(
    log: SessionLog,
    sequence: number,
    msLater: number,
    direction: TranscriptEntry['direction'],
    text: string,
  ) {
    this.#log = log;
    this.sequence = sequence;
    this.#msLater = msLater;
    this.#direction = direction;
    this.#text = text;
  }

  get entry(): TranscriptEntry {
    this.#entry ??= {
      at: new Date(this.#log.beganAt + this.#msLater),
      direction: this.#direction,
      text: this.#text,
    };
    return this.#entry;
  }
}

const onlyPrintableAscii = /^[\u0020-\u007e]*$/;
const printCodePoint = (character: string): string => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;

const printText = (text: string): string => {
  const cut =
    text.length > MAX_TRANSCRIPT_CHARACTERS ? `${text.slice(0, MAX_TRANSCRIPT_CHARACTERS - 1)}…` : text;
  return onlyPrintableAscii.test(cut)
    ? cut
    : cut.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, printCodePoint);
};

const count = (number: number, what: string): string => `${number} ${number === 1 ? what : `${what}s`}`;

export class SessionLog {
  readonly #now: () => number;
  /** Epoch milliseconds. */
  readonly beganAt: number;
  /** Copied to add to it: an array that is pushed to has room for 17, and a session seldom says six lines. */
  #prelude: readonly LogLine[] = [];
  #transaction: readonly LogLine[] | null = null;
  #sequence = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.beganAt = now();
  }

  line(direction: TranscriptEntry['direction'], text: string): LogLine {
    return new LogLine(this, this.#sequence++, this.#now() - this.beganAt, direction, printText(text));
  }

  replyLines(reply: Reply): readonly LogLine[] {
    return printReplyLines(reply).map((text) => this.line('SERVER', text));
  }

  note(text: string): void {
    this.#add(this.line('NOTE', text));
  }

  sent(text: string): void {
    this.#add(this.line('CLIENT', text));
  }

  received(reply: Reply): void {
    for (const line of this.replyLines(reply)) this.#add(line);
  }

  /** What follows belongs to one transaction and is forgotten with it. */
  beginTransaction(): void {
    this.#transaction = [];
  }

  /** What was said since belongs to the session: it is why STARTTLS follows. */
  endTransaction(): void {
    const lines = this.#transaction ?? [];
    this.#transaction = null;
    for (const line of lines) this.#add(line);
  }

  /** What was said up to here, without any recipient. */
  print(): readonly TranscriptEntry[] {
    return [...this.#prelude, ...(this.#transaction ?? [])]
      .slice(0, MAX_TRANSCRIPT_ENTRIES)
      .map(({ entry }) => entry);
  }

  /**
   * The receipt of one recipient.
   * @param own its command and the lines of its reply; the canary's too, when it was asked beside it
   * @param others how many recipients were asked before it: in this transaction, and in earlier ones
   */
  printFor(
    own: readonly LogLine[],
    others: { readonly inTransaction: number; readonly inEarlier: number },
  ): readonly TranscriptEntry[] {
    const lines = [...(this.#transaction ?? []), ...own].sort((a, b) => a.sequence - b.sequence);
    const at = own[0]?.entry.at ?? new Date(this.#now());
    const notes: TranscriptEntry[] = [];
    if (others.inEarlier > 0)
      notes.push({
        at,
        direction: 'NOTE',
        text: `kept session: ${count(others.inEarlier, 'other recipient')} asked before`,
      });
    if (others.inTransaction > 0)
      notes.push({
        at,
        direction: 'NOTE',
        text: `${count(others.inTransaction, 'other recipient')} asked in the same transaction`,
      });
    const shared = this.#prelude.map(({ entry }) => entry);
    return [...shared, ...notes, ...lines.map(({ entry }) => entry)].slice(0, MAX_TRANSCRIPT_ENTRIES);
  }

  #add(line: LogLine): void {
    if (this.#transaction) {
      if (this.#transaction.length < MAX_TRANSCRIPT_ENTRIES) this.#transaction = [...this.#transaction, line];
    } else if (this.#prelude.length < MAX_TRANSCRIPT_ENTRIES) this.#prelude = [...this.#prelude, line];
  }
}
