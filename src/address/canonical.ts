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
 * One key for all spellings of a mailbox. With a provider of the table: case, ignored characters, tags that need no setting
 * up and synonymous domains are taken away. With any other, in a quoted local part and in UTF-8 only its `normalized`:
 * RFC 5321 §2.4 leaves case and more to the host. The canonical form of a canonical form is itself.
 */
export const printCanonical = (address: EmailAddress): NormalizedAddress => {
  const { rule, domain, user } = locate(address);
  if (rule === null || address.requiresSmtpUtf8) return address.normalized;
  let name = (rule.isTagSetUp ? address.localPart : user).toLowerCase();
  for (const character of rule.ignored ?? []) name = name.replaceAll(character, '');
  // What is no local part any more (nothing left, or a dot before the tag) is nobody's mailbox: it stays as it is.
  return name === '' || name.endsWith('.')
    ? address.normalized
    : (`${name}@${rule.synonymOf ?? domain}` as NormalizedAddress);
};
