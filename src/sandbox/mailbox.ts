/** Who has a mailbox in the sandbox: told from the name alone, so that lists of any length can be made up. */

/** Prefixes of mailboxes that exist: `user1`, `user2` … `anna.schmidt`, and what RFC 2142 wants everywhere. */
const known = /^(?:user|anna|josé|用户|info|support|sales|postmaster|abuse)/iu;

/** Is there such a mailbox at a server that checks? Case does not matter (it may, RFC 5321 §2.4; nobody does it). */
export const isKnownMailbox = (localPart: string): boolean => known.test(localPart.normalize('NFC'));

/** `RCPT TO:<a@b>` and `MAIL FROM:<a@b> SIZE=1`; a local part may be quoted and hold an `@`. */
const path = /^[^:]*:\s*<(?:@[^:>]*:)?(?:(.*)@([^@<>]*))?>/s;

/** Octets of a local part and domain as they were sent; both empty for the null reverse path, null for no path. */
export type MailPath = { readonly localPart: string; readonly domain: string };

export const parsePath = (line: string): MailPath | null => {
  const match = path.exec(line);
  return match && { localPart: match[1] ?? '', domain: (match[2] ?? '').toLowerCase() };
};
