/**
 * Made-up lists of any length, mixed as real ones are: a few large domains and a long tail, most mailboxes there,
 * some gone, a little of everything else. No chance in it: row n is always the same address, so a longer list begins
 * with the shorter one, and what the verdicts must be can be counted beforehand.
 */
type Kind = {
  /** In a hundred rows. */
  readonly share: number;
  readonly reason: string;
  /** What it becomes once the servers that said "later" have been asked again. */
  readonly settlesAs?: string;
  readonly printAddress: (row: number) => string;
};

const HOSTED_DOMAINS = 20;

/** Where people are: one provider has two in five, twenty hosted domains share the rest, the n-th about 1/n of it. */
const domainOf = (row: number): string => {
  // Knuth's multiplicative hash: spreads rows evenly over [0, 1) without chance.
  const place = (Math.imul(row, 2_654_435_761) >>> 0) / 2 ** 32;
  if (place < 0.4) return 'bulk.test';
  return `bulk${Math.floor((HOSTED_DOMAINS + 1) ** ((place - 0.4) / 0.6))}.test`;
};

const kinds: readonly Kind[] = [
  { share: 61, reason: 'MAILBOX_EXISTS', printAddress: (row) => `user${row}@${domainOf(row)}` },
  { share: 14, reason: 'MAILBOX_NOT_FOUND', printAddress: (row) => `gone${row}@${domainOf(row)}` },
  { share: 9, reason: 'CATCH_ALL', printAddress: (row) => `user${row}@bulk-catch-all.test` },
  {
    share: 3,
    reason: 'GREYLISTED',
    settlesAs: 'MAILBOX_EXISTS',
    printAddress: (row) => `user${row}@bulk-greylisting.test`,
  },
  { share: 2, reason: 'MAILBOX_FULL', printAddress: (row) => `full${row}@full.test` },
  { share: 2, reason: 'MAILBOX_DISABLED', printAddress: (row) => `user${row}@disabled.test` },
  { share: 2, reason: 'PROBER_BLOCKED', printAddress: (row) => `user${row}@blocked-at-rcpt.test` },
  { share: 2, reason: 'DOMAIN_NOT_FOUND', printAddress: (row) => `user${row}@gone${row % 7}.nxdomain.test` },
  { share: 1, reason: 'NULL_MX', printAddress: (row) => `user${row}@null-mx.test` },
  { share: 1, reason: 'NO_MAIL_HOST', printAddress: (row) => `user${row}@no-mail-host.test` },
  { share: 1, reason: 'UNROUTABLE_MAIL_HOST', printAddress: (row) => `user${row}@mx-to-private.test` },
  { share: 1, reason: 'HOST_UNREACHABLE', printAddress: (row) => `user${row}@all-mx-dead.test` },
  { share: 1, reason: 'INVALID_SYNTAX', printAddress: (row) => `user${row}.@${domainOf(row)}` },
];

const slots: readonly Kind[] = kinds.flatMap((kind) => Array<Kind>(kind.share).fill(kind));

/** Neighbouring rows are of different kinds: 37 and 100 have no common divisor, so each hundred rows holds each slot once. */
const kindOf = (row: number): Kind => {
  const kind = slots[(row * 37) % slots.length];
  if (!kind) throw new Error('the shares do not fill a hundred rows');
  return kind;
};

/** The first `count` addresses, each different. */
export const exampleList = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => kindOf(index + 1).printAddress(index + 1));

/**
 * How many of the first `count` addresses get which reason.
 * @param isRetried were those who were put off asked again, later than the sandbox's 3 seconds (times its pace)?
 */
export const countExamples = (
  count: number,
  { isRetried }: { readonly isRetried: boolean },
): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (let row = 1; row <= count; row += 1) {
    const { reason, settlesAs } = kindOf(row);
    const expected = isRetried ? (settlesAs ?? reason) : reason;
    counts[expected] = (counts[expected] ?? 0) + 1;
  }
  return counts;
};
