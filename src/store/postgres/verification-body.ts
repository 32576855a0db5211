/** A verification with its receipt as text, and back. */
import type { Verification } from '../../verify/index.ts';

/** Lines of a transcript that are kept: the beginning and the end tell the story. */
const keptLines = { first: 16, last: 32 };

/**
 * Dates as `{"$date": ms}`; the only shape that is not what it looks like. A replacer of JSON.stringify would do the
 * same in five times the time.
 */
const datesApart = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return { $date: value.getTime() };
  if (Array.isArray(value)) return value.map(datesApart);
  const copy: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value)) copy[key] = datesApart(part);
  return copy;
};

const boundTranscript = (verification: Verification): Verification => {
  const { evidence } = verification;
  if (evidence.kind !== 'probe') return verification;
  const { transcript } = evidence.probe;
  if (transcript.length <= keptLines.first + keptLines.last) return verification;
  const middle = transcript[keptLines.first];
  if (middle === undefined) return verification;
  const omitted = transcript.length - keptLines.first - keptLines.last;
  const kept = [
    ...transcript.slice(0, keptLines.first),
    { at: middle.at, direction: 'NOTE' as const, text: `${omitted} lines left out` },
    ...transcript.slice(-keptLines.last),
  ];
  return { ...verification, evidence: { ...evidence, probe: { ...evidence.probe, transcript: kept } } };
};

export const printVerification = (verification: Verification): string =>
  JSON.stringify(datesApart(boundTranscript(verification)));

export const readVerification = (body: string): Verification =>
  JSON.parse(body, (_key, value) =>
    typeof value === 'object' && value !== null && typeof value.$date === 'number'
      ? new Date(value.$date)
      : value,
  ) as Verification;
