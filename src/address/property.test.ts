/** What holds for every input, found out with made-up ones. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type EmailAddress,
  type ParsedAddress,
  parseAddress,
  parseDomain,
  parseExchangeHost,
  printCanonical,
  readTag,
  suggestAddress,
} from './index.ts';

/** Text made of what addresses are made of, so that many are good and the rest are nearly so. */
const fragment = fc.oneof(
  fc.constantFrom(...'@."\\()[]:<>,; -_+'.split('')),
  fc.constantFrom(
    'ada',
    'A',
    '1',
    'é',
    'e\u0301',
    '用',
    '🙂',
    'ß',
    '\u200d',
    '\u202e',
    '\u037e',
    '\u212a',
    '\ud800',
  ),
  fc.constantFrom(
    'example.com',
    'gmail.com',
    'xn--bcher-kva',
    'bücher',
    'אבג',
    '。',
    'IPv6:',
    '192.0.2.1',
    '\u0000',
  ),
  fc.string({ unit: 'binary', maxLength: 3 }),
);
const nearAddress = fc.array(fragment, { maxLength: 12 }).map((parts) => parts.join(''));
const anyText = fc.oneof(
  nearAddress,
  nearAddress.map((text) => `${text}@example.com`),
  nearAddress.map((text) => `ada@${text}`),
  nearAddress.map((text) => `"${text}"@example.com`),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme', maxLength: 700 }),
  // Any UTF-16, lone surrogates included
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 })
    .map((units) => String.fromCharCode(...units)),
);

const addressOf = (parsed: ParsedAddress): EmailAddress | null =>
  parsed.kind === 'address' ? parsed.address : null;

describe('for every text', () => {
  test('parsing never throws, and the position of a fault is within the text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const parsed = parseAddress(text);
        if (parsed.kind === 'fault') {
          expect(parsed.input).toBe(text);
          expect(parsed.fault.position).toBeGreaterThanOrEqual(0);
          expect(parsed.fault.position).toBeLessThanOrEqual(text.length);
        }
        const domain = parseDomain(text);
        if (domain.kind === 'fault') expect(domain.fault.position).toBeLessThanOrEqual(text.length);
        parseExchangeHost(text);
      }),
      { numRuns: 5_000 },
    );
  });

  test('the normal form of an address is an address with itself for its normal form', () => {
    let addresses = 0;
    fc.assert(
      fc.property(anyText, (text) => {
        const address = addressOf(parseAddress(text));
        if (address === null) return;
        addresses++;
        const again = addressOf(parseAddress(address.normalized));
        expect(again).toEqual({ ...address, input: address.normalized });
        expect(address.normalized).toBe(address.normalized.normalize('NFC'));
        expect(Buffer.byteLength(address.normalized)).toBeLessThanOrEqual(254);
        expect(address.requiresSmtpUtf8).toBe(
          Buffer.byteLength(address.localPart) > address.localPart.length,
        );
        // The U-label form names the same mailbox.
        expect(parseDomain(address.unicodeDomain)).toMatchObject({ domain: address.domain });
      }),
      { numRuns: 5_000 },
    );
    expect(addresses).toBeGreaterThan(500);
  });

  test('the canonical form of an address is an address with itself for its canonical form', () => {
    const provider = fc.constantFrom(
      'gmail.com',
      'googlemail.com',
      'yahoo.com',
      'ada.fastmail.com',
      'pm.me',
      'ya.ru',
    );
    const localPart = fc
      .array(fc.constantFrom('a', 'B', '.', '+', '-', '_', '"', '1', 'é'), { minLength: 1, maxLength: 8 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(localPart, provider, (local, domain) => {
        const address = addressOf(parseAddress(`${local}@${domain}`));
        if (address === null) return;
        const canonical = addressOf(parseAddress(printCanonical(address)));
        if (canonical === null) throw new Error('a canonical form that is no address');
        expect(printCanonical(canonical)).toBe(printCanonical(address));
      }),
      { numRuns: 3_000 },
    );
  });

  test('tags and suggestions never throw, and a suggestion is an address', () => {
    const domain = fc.constantFrom(
      'gmial.com',
      'hotmal.fr',
      'example.con',
      'xn--bcher-kva.cmo',
      'live.co',
      'a.b.c',
    );
    fc.assert(
      fc.property(nearAddress, domain, (local, name) => {
        const address = addressOf(parseAddress(`${local}@${name}`));
        if (address === null) return;
        readTag(address);
        const suggestion = suggestAddress(address, () => false);
        if (suggestion !== null) expect(parseAddress(suggestion).kind).toBe('address');
      }),
      { numRuns: 2_000 },
    );
  });

  test('NFC never makes a local part that does not parse: each character of the BMP', () => {
    for (let code = 0x80; code <= 0xffff; code++) {
      for (const text of [
        `a${String.fromCharCode(code)}@example.com`,
        `"${String.fromCharCode(code)} "@example.com`,
      ]) {
        const address = addressOf(parseAddress(text));
        if (
          address !== null &&
          addressOf(parseAddress(address.normalized))?.normalized !== address.normalized
        ) {
          throw new Error(`U+${code.toString(16)}`);
        }
      }
    }
  });

  test('what is written with escapes is what is read', () => {
    const content = fc.string({ unit: 'grapheme-ascii', maxLength: 20 });
    fc.assert(
      fc.property(content, (text) => {
        const escaped = [...text].map((character) => `\\${character}`).join('');
        const plain = text.replace(/["\\]/g, '\\$&');
        const one = addressOf(parseAddress(`"${escaped}"@example.com`));
        expect(one).not.toBeNull();
        expect(addressOf(parseAddress(`"${plain}"@example.com`))?.normalized).toBe(one?.normalized);
      }),
    );
  });
});
