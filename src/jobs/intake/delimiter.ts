/** Whether a file has lines, cells or JSON in it, and which character parts the cells, told from its first lines. */
import { isHeaderWord } from './column.ts';
import { IntakeFault } from './fault.ts';

const delimiters = [',', ';', '\t', '|'] as const;
/** Records that are looked at: enough to tell a comma of the format from one in a name. */
const sampleRecords = 50;
/** Characters that are looked at. */
const sampleCharacters = 64 * 1024;
/** Of the records, how many must have the same number of cells. */
const leastShare = 0.8;

/** How many delimiters each of the first records has, when `delimiter` is the one; what is cut off is left out. */
const countDelimiters = (head: string, delimiter: string, isWhole: boolean): readonly number[] => {
  const counts: number[] = [];
  let count = 0;
  let isQuoted = false;
  // A quote opens a cell only at its beginning; elsewhere it is a character like any other.
  let isCellStart = true;
  let isBlank = true;
  const endRecord = () => {
    if (!isBlank) counts.push(count);
    count = 0;
    isCellStart = true;
    isBlank = true;
  };
  for (let at = 0; at < head.length && counts.length < sampleRecords; at += 1) {
    const character = head[at];
    if (isQuoted) {
      if (character !== '"') continue;
      if (head[at + 1] === '"') at += 1;
      else isQuoted = false;
    } else if (character === '\n' || character === '\r') endRecord();
    else {
      if (character === delimiter) count += 1;
      isQuoted = character === '"' && isCellStart;
      isCellStart = character === delimiter;
      isBlank &&= character === ' ' || character === '\t';
    }
  }
  if (isWhole && !isQuoted) endRecord();
  return counts;
};

/** The share of records that have the most usual number of delimiters, when that is not none. */
const consistency = (counts: readonly number[]): { share: number; count: number } => {
  const times = new Map<number, number>();
  for (const count of counts) times.set(count, (times.get(count) ?? 0) + 1);
  let best = { share: 0, count: 0 };
  for (const [count, n] of times) {
    const share = n / counts.length;
    if (count > 0 && share > best.share) best = { share, count };
  }
  return best;
};

const isQuotedLine = (line: string): boolean => line.startsWith('"') && line.trimEnd().endsWith('"');

/** Do the cells of the first line name the address column beside others? Then it is a header, however ragged the rest. */
const headsColumns = (head: string, delimiter: string): boolean => {
  const cells = (/^[^\r\n]*/.exec(head)?.[0] ?? '').split(delimiter);
  return cells.length > 1 && cells.some(isHeaderWord);
};

export type Layout =
  | { readonly kind: 'lines' | 'ndjson' }
  | {
      readonly kind: 'csv';
      readonly delimiter: string;
      /** Excel's `sep=;` line comes first. */
      readonly hasSepLine: boolean;
    };

/** How a JSON object, and an array, begins; a mailbox may be named `{a}`, so the brace alone says nothing. */
const beginsObject = /^\s*\{\s*(?:["}]|$)/;
const beginsArray = /^\s*\[\s*(?:[[{"]|$)/;

/**
 * A list of JSON strings is a CSV of one quoted column just as well, and read as one unless its name says otherwise;
 * the first object among them settles it.
 */
const isNdjson = (lines: readonly string[]): boolean => {
  const [first = ''] = lines;
  if (beginsArray.test(first))
    throw new IntakeFault(
      'BAD_JSON',
      'The file is one JSON array: give one JSON object, or one string, a line.',
    );
  if (!first.trimStart().startsWith('"')) return beginsObject.test(first);
  return lines.some((line) => beginsObject.test(line));
};

/**
 * `head` is the beginning of the file. A file name settles it, and so does a header. Without a delimiter that most
 * records agree on the file has one address a line; when those are quoted it is a CSV with one column.
 */
export const readLayout = (head: string, fileName: string | null): Layout => {
  const sep = /^sep=(.)\r?\n/.exec(head)?.[1];
  if (sep !== undefined) return { kind: 'csv', delimiter: sep, hasSepLine: true };
  const extension = /\.([a-z]+)(?:\.gz)?$/.exec(fileName?.toLowerCase() ?? '')?.[1];
  if (extension === 'tsv') return { kind: 'csv', delimiter: '\t', hasSepLine: false };
  const filled = head.split(/\r\n|\n|\r/, sampleRecords).filter((line) => line.trim() !== '');
  if (extension === 'ndjson' || extension === 'jsonl' || isNdjson(filled)) return { kind: 'ndjson' };
  const headed = delimiters.find((delimiter) => headsColumns(head, delimiter));
  if (headed !== undefined) return { kind: 'csv', delimiter: headed, hasSepLine: false };
  const sample = head.slice(0, sampleCharacters);
  let best: { delimiter: string; share: number; count: number } = { delimiter: '', share: 0, count: 0 };
  for (const delimiter of delimiters) {
    const found = consistency(countDelimiters(sample, delimiter, head.length <= sampleCharacters));
    if (found.share > best.share || (found.share === best.share && found.count > best.count))
      best = { delimiter, ...found };
  }
  if (best.share >= leastShare) return { kind: 'csv', delimiter: best.delimiter, hasSepLine: false };
  const quoted = filled.filter(isQuotedLine).length;
  return filled.length > 0 && quoted / filled.length >= leastShare
    ? { kind: 'csv', delimiter: ',', hasSepLine: false }
    : { kind: 'lines' };
};
