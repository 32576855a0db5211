/** What is wrong with a file that was given as a list, as one closed set. */

export type IntakeFaultCode =
  | 'EMPTY_FILE'
  | 'BINARY_FILE'
  | 'BAD_GZIP'
  | 'TOO_LARGE'
  | 'BAD_ENCODING'
  | 'LINE_TOO_LONG'
  | 'NOT_A_CSV'
  | 'BAD_JSON'
  | 'TOO_MANY_COLUMNS'
  | 'NO_ADDRESS_COLUMN'
  | 'UNKNOWN_COLUMN';

/**
 * One sentence for the person who gave the file: what is wrong, the limit and its setting where there is one, and what
 * to do. It quotes no row, and has no cause: a parser's own words do quote.
 */
export class IntakeFault extends Error {
  override readonly name = 'IntakeFault';
  readonly code: IntakeFaultCode;

  constructor(code: IntakeFaultCode, message: string) {
    super(message);
    this.code = code;
  }
}
