/**
 * The text of a key: `rcpt_sk_` or `rcpt_pk_`, then 40 letters and digits, of which the last six are a checksum, so that
 * a scanner of source code can tell a key from its like without asking anybody, and a typing error is told as one.
 * 34 letters of 62 are 202 bits: nobody guesses one, and a plain SHA-256 of it is as good as any slow hash.
 */
import { createHash, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { KeyKind } from './types.ts';

const marks = { SECRET: 'rcpt_sk_', PUBLISHABLE: 'rcpt_pk_' } as const satisfies Record<KeyKind, string>;
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const randomLetters = 34;
const checkLetters = 6;
const form = /^(rcpt_[sp]k_)([0-9A-Za-z]{34})([0-9A-Za-z]{6})$/;

/** Letters of a key's text that are kept and shown: of the random ones the first six, 36 bits of 202. */
const prefixLetters = 14;

const printChecksum = (text: string): string => {
  let rest = crc32(text);
  let digits = '';
  for (let place = 0; place < checkLetters; place++) {
    digits = alphabet[rest % alphabet.length] + digits;
    rest = Math.floor(rest / alphabet.length);
  }
  return digits;
};

/** Another one each time. */
export const drawKeyText = (kind: KeyKind): string => {
  const drawn = Array.from({ length: randomLetters }, () => alphabet[randomInt(alphabet.length)]).join('');
  const body = `${marks[kind]}${drawn}`;
  return `${body}${printChecksum(body)}`;
};

/** Can it be the text of a key at all? Says nothing of whether there is such a key. */
export const isKeyText = (text: string): boolean => {
  const [, mark = '', drawn = '', checksum] = form.exec(text) ?? [];
  return checksum !== undefined && printChecksum(`${mark}${drawn}`) === checksum;
};

export const hashKeyText = (text: string): string => createHash('sha256').update(text).digest('hex');

export const prefixOf = (text: string): string => text.slice(0, prefixLetters);
