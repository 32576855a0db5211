/** What is wrong with a file that was given as a list, as one closed set. */

export type IntakeFaultCode =
  | 'EMPTY_FILE'
  | 'BINARY_FILE'
  | 'BAD_ENCODING'
  | 'LINE_TOO_LONG'
  | 'NOT_A_CSV'
  | 'NO_ADDRESS_COLUMN'
  | 'UNKNOWN_COLUMN';

/** One sentence for the person who gave the file: what is wrong and what to do. It quotes no row. */
export class IntakeFault extends Error {
  override readonly name = 'IntakeFault';
  readonly code: IntakeFaultCode;

  constructor(code: IntakeFaultCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
