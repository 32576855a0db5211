import { classifyNonAscii, describeUnseen } from './characters.ts';
import type { SyntaxFault, SyntaxFaultCode } from './types.ts';

/** One sentence for a person about each code; a fault that knows more brings its own. */
const messages: Readonly<Record<SyntaxFaultCode, string>> = {
  EMPTY: 'There is no address.',
  TOO_LONG: 'The address is longer than the 254 octets that SMTP can carry.',
  MISSING_AT: 'The address has no @.',
  EMPTY_LOCAL_PART: 'There is nothing before the @.',
  LOCAL_PART_TOO_LONG: 'The part before the @ is longer than 64 octets.',
  LEADING_DOT: 'The part before the @ starts with a dot.',
  TRAILING_DOT: 'The part before the @ ends with a dot.',
  CONSECUTIVE_DOTS: 'The part before the @ has two dots in a row.',
  CHARACTER_NOT_ALLOWED: 'This character may not stand before the @ outside quotes.',
  SPACE_NOT_ALLOWED: 'A space may not stand here.',
  CONTROL_CHARACTER: 'A control character may not stand in an address.',
  INVALID_UNICODE: 'This is not a character: the text was damaged on its way.',
  UNCLOSED_QUOTE: 'The quoted part before the @ is not closed.',
  TEXT_AFTER_QUOTE: 'Nothing but the @ may follow the closing quote.',
  COMMENT_NOT_ALLOWED: 'A comment in parentheses belongs to message headers, not to an address.',
  EMPTY_DOMAIN: 'There is nothing after the @.',
  DOMAIN_TOO_LONG: 'The domain is longer than 253 octets.',
  EMPTY_LABEL: 'The domain has a dot with nothing before or after it.',
  LABEL_TOO_LONG: 'A part of the domain between dots is longer than 63 octets.',
  LABEL_HYPHEN: 'A part of the domain starts or ends with a hyphen, or has two where only xn-- may.',
  DOMAIN_CHARACTER_NOT_ALLOWED: 'This character may not stand in a domain.',
  INVALID_IDN: 'This part of the domain is no valid internationalized name.',
  SINGLE_LABEL_DOMAIN: 'The domain has no dot, so it cannot be found on the public internet.',
  NUMERIC_TLD: 'The last part of the domain is a number; no top-level domain is.',
  INVALID_DOMAIN_LITERAL: 'What stands in the brackets is no IP address.',
  UNROUTABLE_DOMAIN_LITERAL:
    'An IP address in brackets is good syntax, but has no mail host in DNS, so that nobody can verify it on the public internet.',
};

/** The fault of that code at a zero-based position, in UTF-16 code units of the input. */
export const faultAt = (code: SyntaxFaultCode, position: number, message = messages[code]): SyntaxFault => ({
  code,
  message,
  position,
});

export const isFault = (result: object): result is SyntaxFault => 'code' in result;

/** The fault of the character at that position, which its place does not allow. */
export const faultOfCharacter = (
  input: string,
  position: number,
  otherwise: 'CHARACTER_NOT_ALLOWED' | 'DOMAIN_CHARACTER_NOT_ALLOWED',
): SyntaxFault => {
  const codePoint = input.codePointAt(position) ?? 0;
  if (codePoint === 0x20) return faultAt('SPACE_NOT_ALLOWED', position);
  if (codePoint < 0x20 || codePoint === 0x7f) return faultAt('CONTROL_CHARACTER', position);
  if (codePoint === 0x28) return faultAt('COMMENT_NOT_ALLOWED', position);
  const code = codePoint < 0x80 ? null : classifyNonAscii(codePoint);
  return faultAt(code ?? otherwise, position, code === null ? undefined : describeUnseen(codePoint));
};
