/** A whole reply of a server (RFC 5321 §4.2). */
export type Reply = {
  /** 200–599. */
  readonly code: number;
  /** `5.1.1` when every line carries the same enhanced code (RFC 2034 §4), else null. */
  readonly enhancedCode: string | null;
  /** The text of each line without code, separator and enhanced code; unprintable octets as U+FFFD. */
  readonly lines: readonly string[];
  /** The lines joined with one space. */
  readonly text: string;
};
