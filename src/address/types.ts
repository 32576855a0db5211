/**
 * The words that every room uses for addresses and names. Different strings have different types, so that a
 * raw string cannot reach the network: it lives until `parseAddress` or `parseDomain`.
 */

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A-label form, lower case, no trailing dot, at most 253 octets (RFC 1035 §2.3.4, RFC 5890 §2.3.2.1). */
export type DomainName = Branded<'DomainName'>;

/** The host name of a mail exchange, in the same form as a DomainName (RFC 5321 §2.3.5). */
export type ExchangeHost = Branded<'ExchangeHost'>;

/** `local-part@domain` with the domain as A-label in lower case and the local part in NFC: the key of an address. */
export type NormalizedAddress = Branded<'NormalizedAddress'>;

/** A mailbox that can be asked about: syntax, lengths and IDNA are known to be right. */
export type EmailAddress = {
  /** Exactly what was given. */
  readonly input: string;
  /** As it goes into RCPT TO (quotes kept where they are needed), in NFC. */
  readonly localPart: string;
  readonly domain: DomainName;
  /** The domain as people read it (U-labels). */
  readonly unicodeDomain: string;
  readonly normalized: NormalizedAddress;
  /** True when the local part has a character outside ASCII (RFC 6531 §3.3): the domain alone never needs it. */
  readonly requiresSmtpUtf8: boolean;
};

/**
 * Why a text is no address. Each code is one rule with one test.
 * `UNROUTABLE_DOMAIN_LITERAL` is good syntax that nobody can verify on the public internet.
 */
export type SyntaxFaultCode =
  | 'EMPTY'
  | 'TOO_LONG'
  | 'MISSING_AT'
  | 'EMPTY_LOCAL_PART'
  | 'LOCAL_PART_TOO_LONG'
  | 'LEADING_DOT'
  | 'TRAILING_DOT'
  | 'CONSECUTIVE_DOTS'
  | 'CHARACTER_NOT_ALLOWED'
  | 'SPACE_NOT_ALLOWED'
  | 'CONTROL_CHARACTER'
  | 'INVALID_UNICODE'
  | 'UNCLOSED_QUOTE'
  | 'TEXT_AFTER_QUOTE'
  | 'COMMENT_NOT_ALLOWED'
  | 'EMPTY_DOMAIN'
  | 'DOMAIN_TOO_LONG'
  | 'EMPTY_LABEL'
  | 'LABEL_TOO_LONG'
  | 'LABEL_HYPHEN'
  | 'DOMAIN_CHARACTER_NOT_ALLOWED'
  | 'INVALID_IDN'
  | 'SINGLE_LABEL_DOMAIN'
  | 'NUMERIC_TLD'
  | 'INVALID_DOMAIN_LITERAL'
  | 'UNROUTABLE_DOMAIN_LITERAL';

export type SyntaxFault = {
  readonly code: SyntaxFaultCode;
  /** One sentence for a person, without the address in it. */
  readonly message: string;
  /** Where the first fault is: zero-based, in UTF-16 code units of the input. */
  readonly position: number;
};

export type ParsedAddress =
  | { readonly kind: 'address'; readonly address: EmailAddress }
  | { readonly kind: 'fault'; readonly input: string; readonly fault: SyntaxFault };

export type ParsedDomain =
  | { readonly kind: 'domain'; readonly domain: DomainName; readonly unicodeDomain: string }
  | { readonly kind: 'fault'; readonly input: string; readonly fault: SyntaxFault };
