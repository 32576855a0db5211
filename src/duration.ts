/**
 * Lengths of time as people write them in settings and in GraphQL: `90s`, `15m`, `12h`, `7d`, `2w`, or ISO 8601
 * (`PT1H`, `P1DT12H`). Months and years are refused: their length depends on the calendar.
 */

const unitSeconds = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 } as const;

/** A hundred years of 365 days: past that a duration is a mistake, and dates made from it would overflow. */
const longestSeconds = 100 * 365 * unitSeconds.d;

/** Whole seconds, or null when the text is no duration or longer than a hundred years. */
export const parseDuration = (text: string): number | null => {
  const seconds = parseShort(text) ?? parseIso(text);
  return seconds === null || seconds > longestSeconds ? null : seconds;
};

const parseShort = (text: string): number | null => {
  const match = /^(\d{1,10})([smhdw])$/.exec(text);
  if (!match) return null;
  return Number(match[1]) * unitSeconds[match[2] as keyof typeof unitSeconds];
};

const parseIso = (text: string): number | null => {
  const match =
    /^P(?:(\d{1,10})W)?(?:(\d{1,10})D)?(?:T(?:(\d{1,10})H)?(?:(\d{1,10})M)?(?:(\d{1,10})S)?)?$/.exec(text);
  if (!match || text.endsWith('P') || text.endsWith('T')) return null;
  const [, weeks = '0', days = '0', hours = '0', minutes = '0', seconds = '0'] = match;
  return (
    Number(weeks) * unitSeconds.w +
    Number(days) * unitSeconds.d +
    Number(hours) * unitSeconds.h +
    Number(minutes) * unitSeconds.m +
    Number(seconds)
  );
};

/** The shortest exact form: `7d`, `90m`, `3601s`. */
export const printDuration = (seconds: number): string => {
  for (const unit of ['d', 'h', 'm'] as const)
    if (seconds !== 0 && seconds % unitSeconds[unit] === 0) return `${seconds / unitSeconds[unit]}${unit}`;
  return `${seconds}s`;
};
