/** Loaded before everything else in a process whose clock is wrong by TEST_CLOCK_MS. */
const offsetMs = Number(process.env.TEST_CLOCK_MS ?? 0);
const RealDate = Date;

globalThis.Date = class extends RealDate {
  constructor(...args: [] | [value: number | string | Date]) {
    if (args.length === 0) super(RealDate.now() + offsetMs);
    else super(...args);
  }
  static override now(): number {
    return RealDate.now() + offsetMs;
  }
} as DateConstructor;
