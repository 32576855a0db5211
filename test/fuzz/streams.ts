/** What a peer may say: octets of no kind at all, and real dialogues bent in the places where readers go wrong. */
import type { Random } from './random.ts';

/** One reply an element, as real servers gave them; the first is the greeting, the second the reply to EHLO. */
const dialogues: readonly [readonly string[], ...(readonly string[])[]] = [
  [
    '220 mx.example ESMTP Postfix',
    '250-mx.example\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-ENHANCEDSTATUSCODES\r\n250 SMTPUTF8',
    '250 2.1.0 Ok',
    '250 2.1.5 Ok',
    '550 5.1.1 <a@b.example>: Recipient address rejected: User unknown in virtual mailbox table',
    '250 2.1.5 Ok',
    '250 2.0.0 Ok',
    '250 2.1.0 Ok',
    '450 4.2.0 <c@b.example>: Recipient address rejected: Greylisted',
    '421 4.7.0 mx.example Error: too many errors',
  ],
  [
    '220-aspmx.example ESMTP\r\n220 ready',
    '250-aspmx.example at your service\r\n250-STARTTLS\r\n250 PIPELINING',
    '220 2.0.0 Ready to start TLS',
    '250-aspmx.example\r\n250 PIPELINING',
    '250 2.1.0 OK',
    '550-5.1.1 The email account that you tried to reach does not exist.\r\n550 5.1.1 gsmtp',
    '452-4.2.2 The recipient is out of storage.\r\n452 4.2.2 gsmtp',
    '221 2.0.0 closing connection',
  ],
  [
    '220 mail.example',
    '502 5.5.1 not implemented',
    '250 mail.example',
    '250 Ok',
    '250 Accepted',
    '550 Benutzer unbekannt',
    '554 Нет такого пользователя',
    '221 Bye',
  ],
  [
    '220 mx.example',
    '250 mx.example',
    '250 ok',
    '250 ok',
    '550 no',
    '251 will forward',
    '503 RSET first',
    '250 ok',
  ],
  ['554 5.7.1 Client host blocked using zen.example', '221 Bye'],
  ['220 mx.example', '250-mx.example\r\n250 PIPELINING', '553 5.1.8 Sender address rejected', '503 5.5.1 no'],
  [
    '220 mx.example',
    '250-mx.example\r\n250-PIPELINING\r\n250 STARTTLS',
    '530 5.7.0 Must issue a STARTTLS command first',
    '503 5.5.1 no',
    '503 5.5.1 no',
    '220 2.0.0 go',
    '250 mx.example',
  ],
];

const octetsOf = (text: string): Uint8Array => Buffer.from(text);

/** Of every octet, or of the few that mean something to a reader. One in ten may be of the full length. */
export const makeNoise = (random: Random, longest: number): Uint8Array => {
  const alphabet = octetsOf('0123456789 -\r\n\r\n\0.\t\u00e9x');
  const isTelling = random.oneIn(2);
  const most = random.oneIn(10) ? longest : Math.ceil(longest / 20);
  return Uint8Array.from({ length: 1 + random.below(most) }, () =>
    isTelling ? (alphabet[random.below(alphabet.length)] ?? 0) : random.below(256),
  );
};

type Bend = (reply: string, random: Random) => string;

/** Where in the text something is put. */
const insert = (reply: string, random: Random, what: string): string => {
  const at = random.below(reply.length + 1);
  return reply.slice(0, at) + what + reply.slice(at);
};

const bends: readonly [Bend, ...Bend[]] = [
  // Codes: of no class, of another class, of too few or too many digits, none.
  (reply, random) =>
    random.pick(['000', '199', '600', '999', '25', '2500', '', '+25', '2e1']) + reply.slice(3),
  (reply, random) => `${200 + random.below(400)}${reply.slice(3)}`,
  (reply, random) => random.pick(['421', '354', '220', '250', '501', '554']) + reply.slice(3),
  // Separators.
  (reply, random) => reply.slice(0, 3) + random.pick(['-', ' ', '_', '', '\t', '\0', '--']) + reply.slice(4),
  (reply) => `${reply.slice(0, 3)}-${reply.slice(4)}`,
  // Enhanced codes, of other classes and of no form.
  (reply, random) =>
    `${reply.slice(0, 4)}${random.pick(['5.1.1', '2.0.0', '4.7.28', '9.9.9', '5.1.1.1', '5.', '5.1234.1'])} ${reply.slice(4)}`,
  // Line ends.
  (reply, random) => insert(reply, random, random.pick(['\r', '\n', '\r\r\n', '\n\r', '\r\n\r\n'])),
  (reply) => reply.replaceAll('\r\n', '\n'),
  (reply) => reply.replaceAll('\r\n', '\r'),
  // NUL, escape sequences, text that turns around, a byte order mark.
  (reply, random) => insert(reply, random, random.pick(['\0', '\u001b[2J', '\u202e', '\ufeff', '\u0085'])),
  // More replies than commands, and none.
  (reply, random) =>
    Array(random.pick([2, 3, 20]))
      .fill(reply)
      .join('\r\n'),
  () => '',
  (reply, random) => reply.slice(0, random.below(reply.length)),
];

/** Lines just under and over the ceiling and far past it; many lines; both. Rare, or they would be most of the octets. */
const swell: Bend = (reply, random) => {
  const code = reply.slice(0, 3);
  switch (random.below(3)) {
    case 0:
      return insert(reply, random, 'x'.repeat(random.pick([500, 4_080, 4_096, 4_100, 20_000])));
    case 1:
      return `${`${code}-more\r\n`.repeat(random.pick([1, 50, 98, 99, 100, 2_000]))}${reply}`;
    default:
      return `${`${code}-${'y'.repeat(4_000)}\r\n`.repeat(random.pick([2, 15, 16, 17, 20]))}${reply}`;
  }
};

const bend: Bend = (reply, random) => (random.oneIn(80) ? swell : random.pick(bends))(reply, random);

/**
 * A real dialogue with none, some or all of its replies bent, and now and then with octets that no text encodes to.
 * Most begin well, so that what is wrong comes at every depth.
 */
export const makeBentDialogue = (random: Random): Uint8Array => {
  const replies = random.pick(dialogues);
  const from = random.below(replies.length + 1);
  const rarity = random.pick([1, 2, 4]);
  const text = replies.map((reply, index) => {
    const bent = index >= from && random.oneIn(rarity) ? bend(reply, random) : reply;
    return `${bent}${random.oneIn(40) ? random.pick(['', '\r', '\n']) : '\r\n'}`;
  });
  if (random.oneIn(8)) text.splice(random.below(text.length), 1);
  const octets = Uint8Array.from(octetsOf(text.join('')));
  if (random.oneIn(3)) octets[random.below(octets.length)] = random.below(256);
  return octets;
};

/** A real beginning, then noise: so that noise is met in every state and not at the greeting alone. */
export const makeLateNoise = (random: Random): Uint8Array => {
  const replies = random.pick(dialogues);
  const begun = replies.slice(0, random.below(replies.length + 1)).map((reply) => `${reply}\r\n`);
  return Buffer.concat([octetsOf(begun.join('')), makeNoise(random, 600)]);
};

/** The stream in pieces: whole, an octet each, a line each, or cut anywhere. */
export const split = (octets: Uint8Array, random: Random): Uint8Array[] => {
  const pieces: Uint8Array[] = [];
  const manner = random.below(8);
  for (let start = 0; start < octets.length; ) {
    const lineEnd = octets.indexOf(10, start) + 1;
    const length =
      manner === 0
        ? octets.length
        : manner === 1 && octets.length < 4_000
          ? 1
          : manner < 5
            ? (lineEnd === 0 ? octets.length : lineEnd) - start
            : 1 + random.below(random.pick([3, 80, 6_000]));
    pieces.push(octets.subarray(start, start + length));
    start += length;
  }
  return pieces;
};

/** The stream in replies: a piece ends with the last line of one, as far as there are any. */
export const splitReplies = (octets: Uint8Array): Uint8Array[] =>
  (
    Buffer.from(octets)
      .toString('latin1')
      .match(/(?:\d{3}-[^\n]*\n)*[^\n]*\n?/g) ?? []
  )
    .filter((reply) => reply !== '')
    .map((reply) => Buffer.from(reply, 'latin1'));
