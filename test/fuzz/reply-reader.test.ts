/** The reply reader under six million octets: it never throws, gives the same for each split, and stays within its ceilings. */
import { expect, it } from 'vitest';
import {
  createReplyReader,
  MAX_LINE_OCTETS,
  MAX_REPLY_LINES,
  MAX_REPLY_OCTETS,
  type ReadReplies,
} from '../../src/smtp/protocol/reply-reader.ts';
import { runFuzz } from './fuzz.ts';
import type { Random } from './random.ts';
import { makeBentDialogue, makeNoise, split } from './streams.ts';

/** A line and its CR, doubled by the growth of its buffer, beside the lines of the reply that it belongs to. */
const MOST_HELD = 2 * (MAX_LINE_OCTETS + 1) + MAX_REPLY_OCTETS;

const readAll = (pieces: readonly Uint8Array[]): ReadReplies => {
  const reader = createReplyReader();
  const replies: ReadReplies['replies'][number][] = [];
  let fault: ReadReplies['fault'] = null;
  /** Octets of the line that has not ended. */
  let tail = 0;
  for (const piece of pieces) {
    const read = reader.push(piece);
    const lineEnd = piece.lastIndexOf(10);
    tail = lineEnd === -1 ? tail + piece.length : piece.length - lineEnd - 1;
    replies.push(...read.replies);
    if (fault !== null && (read.replies.length > 0 || read.fault !== fault))
      throw new Error('read on after a fault');
    fault = read.fault;
    // One over, for the CR of its ending.
    if (fault === null && tail > MAX_LINE_OCTETS + 1) throw new Error(`waits for the end of ${tail} octets`);
    if (reader.heldOctets > (fault === null ? MOST_HELD : 0)) throw new Error(`holds ${reader.heldOctets}`);
  }
  return { replies, fault };
};

const checkCeilings = ({ replies, fault }: ReadReplies): void => {
  for (const { code, lines, text } of replies) {
    if (!(code >= 200 && code <= 599)) throw new Error(`a reply with code ${code}`);
    if (lines.length > MAX_REPLY_LINES) throw new Error(`${lines.length} lines`);
    if (text.length > MAX_REPLY_OCTETS) throw new Error(`${text.length} characters`);
    if (['\0', '\r', '\n', '\u001b', '\u202e'].some((control) => text.includes(control)))
      throw new Error('an unprintable character');
    if (lines.some((line) => line.length > MAX_LINE_OCTETS)) throw new Error('a line too long');
  }
  if (fault && fault.detail.length > 500) throw new Error('a fault that tells too much');
};

let replies = 0;
let faults = 0;
const check = (octets: Uint8Array, random: Random): void => {
  const whole = readAll([octets]);
  const cut = readAll(split(octets, random));
  checkCeilings(whole);
  if (JSON.stringify(cut) !== JSON.stringify(whole)) throw new Error('another split, another reading');
  replies += whole.replies.length;
  faults += whole.fault === null ? 0 : 1;
};

it('three million octets of noise', () => {
  const inputs = runFuzz({
    seed: 20_261,
    octets: 3_000_000,
    make: (random) => makeNoise(random, 12_000),
    check,
  });
  expect(faults).toBeGreaterThan(inputs / 2);
});

it('three million octets of bent dialogues', () => {
  replies = 0;
  faults = 0;
  const inputs = runFuzz({ seed: 20_262, octets: 3_000_000, make: makeBentDialogue, check });
  // Else it would be noise again: most begin well, and not all of them end badly.
  expect(replies).toBeGreaterThan(2 * inputs);
  expect(faults).toBeGreaterThan(inputs / 10);
  expect(faults).toBeLessThan(inputs);
});
