/** Local parts that nobody has, of two shapes: no list of mailboxes and no pattern that refuses one fits both. */

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const LETTERS_AND_DIGITS = `${LETTERS}0123456789`;
const LOCAL_PART_LENGTH = 16;

/**
 * A local part that nobody has: 16 letters and digits, a letter first, 82 bits. Plain enough to pass a server's idea
 * of a mailbox name, and not to be guessed by one that would treat probes specially.
 */
export const makeUpLocalPart = (random: (octets: number) => Uint8Array): string =>
  Array.from(random(LOCAL_PART_LENGTH), (octet, index) => {
    const alphabet = index === 0 ? LETTERS : LETTERS_AND_DIGITS;
    return alphabet[octet % alphabet.length];
  }).join('');

/** The other shape: two words of letters with a dot between them, as people are named; 61 bits. */
export const makeUpNamedLocalPart = (random: (octets: number) => Uint8Array): string => {
  const letters = Array.from(random(13), (octet) => LETTERS[octet % LETTERS.length]).join('');
  return `${letters.slice(0, 5)}.${letters.slice(5)}`;
};

/** Is it one of the first shape? */
export const isMadeUp = (text: string): boolean => /^[a-z][a-z0-9]{15}$/.test(text);
/** Is it one of the other? */
export const isMadeUpNamed = (text: string): boolean => /^[a-z]{5}\.[a-z]{8}$/.test(text);
