/**
 * Where the server says what went wrong. Details never hold an address, a document or a variable: whose mailbox
 * was asked about is nobody's business who reads logs.
 */
export type Logger = {
  error(event: string, details: Readonly<Record<string, unknown>>): void;
  /** What nothing is wrong with, but whoever runs this may want to look into: who was limited, and why. */
  audit(event: string, details: Readonly<Record<string, unknown>>): void;
};

const writeLine =
  (level: keyof Logger): Logger[keyof Logger] =>
  (event, details) => {
    process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, event, ...details })}\n`);
  };

/** One JSON object a line to standard error. */
export const stderrLogger: Logger = { error: writeLine('error'), audit: writeLine('audit') };

/** What of an unknown fault goes to the log: its kind and where it came from. */
export const describeFault = (fault: unknown): Readonly<Record<string, unknown>> =>
  fault instanceof Error
    ? { name: fault.name, message: fault.message, stack: fault.stack }
    : { name: typeof fault };
