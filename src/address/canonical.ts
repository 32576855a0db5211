/** The mailbox behind an address by its provider's own rules, and the tag that the rules ignore. */
import { type CanonicalRule, canonicalRules } from './canonical-rules.ts';
import type { DomainName, EmailAddress, NormalizedAddress } from './types.ts';

const ruleByDomain: ReadonlyMap<string, CanonicalRule> = new Map(
  canonicalRules.flatMap((rule) => rule.domains.map((domain) => [domain, rule] as const)),
);

type Place = {
  readonly rule: CanonicalRule | null;
  readonly domain: DomainName;
  readonly user: string;
  readonly tag: string | null;
};

/** RFC 5233's subaddress, where no provider is known: a habit of most servers, so it is read but never removed. */
const usualSeparator = '+';

const splitTag = (localPart: string, separator: string): { user: string; tag: string | null } => {
  const at = localPart.indexOf(separator);
  // What starts with the separator has no user before it, and so is no tag.
  return at < 1
    ? { user: localPart, tag: null }
    : { user: localPart.slice(0, at), tag: localPart.slice(at + 1) };
};

const locate = (address: EmailAddress): Place => {
  const { domain, localPart } = address;
  const isQuoted = localPart.startsWith('"');
  const rule = ruleByDomain.get(domain) ?? null;
  if (isQuoted) return { rule: null, domain, user: localPart, tag: null };
  if (rule === null) {
    const dot = domain.indexOf('.');
    const parent = domain.slice(dot + 1);
    const parentRule = ruleByDomain.get(parent);
    if (parentRule?.takesSubdomains) {
      return { rule: parentRule, domain: parent as DomainName, user: domain.slice(0, dot), tag: localPart };
    }
  }
  const separator = rule === null ? usualSeparator : rule.separator;
  const { user, tag } =
    separator === undefined ? { user: localPart, tag: null } : splitTag(localPart, separator);
  return { rule, domain, user, tag };
};

/**
 * The tag of an address (`news` in `ada+news@…`), by the provider's rule or else after the first `+` (RFC 5233 §1);
 * null when there is none, in a quoted local part, and with providers that have no tags.
 */
export const readTag = (address: EmailAddress): string | null => locate(address).tag;

/**
 * One key for all spellings of a mailbox. With a provider of the table: case, ignored characters, free tags and synonymous
 * domains are taken away. With any other only its `normalized`: RFC 5321 §2.4 leaves case and more to the host.
 */
export const printCanonical = (address: EmailAddress): NormalizedAddress => {
  const { rule, domain, user } = locate(address);
  if (rule === null) return address.normalized;
  let name = rule.isTagFree ? user : address.localPart;
  for (const character of rule.ignored ?? []) name = name.replaceAll(character, '');
  if (rule.folded !== undefined) name = name.replaceAll(rule.folded.from, rule.folded.to);
  // A name that has nothing but ignored characters is nobody's mailbox: leave it as it is.
  if (name === '') return address.normalized;
  return `${name.toLowerCase()}@${rule.synonymOf ?? domain}` as NormalizedAddress;
};
