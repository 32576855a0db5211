import type { SyntaxFault, SyntaxFaultCode } from '../address/index.ts';
import { builder, openEnum } from './builder.ts';

const SyntaxFaultCodeType = builder.enumType('SyntaxProblemCode', {
  description: openEnum('Why a text is no address that can be verified.'),
  values: {
    EMPTY: { description: 'Nothing was given.' },
    TOO_LONG: { description: 'More than 254 octets in all (RFC 5321 §4.5.3.1.3).' },
    MISSING_AT: { description: 'No `@`.' },
    EMPTY_LOCAL_PART: { description: 'Nothing before the `@`.' },
    LOCAL_PART_TOO_LONG: { description: 'More than 64 octets before the `@` (RFC 5321 §4.5.3.1.1).' },
    LEADING_DOT: { description: 'The local part begins with a dot.' },
    TRAILING_DOT: { description: 'The local part ends with a dot.' },
    CONSECUTIVE_DOTS: { description: 'Two dots in a row in the local part.' },
    CHARACTER_NOT_ALLOWED: { description: 'A character that a local part may not have without quotes.' },
    SPACE_NOT_ALLOWED: { description: 'A space outside quotes.' },
    CONTROL_CHARACTER: { description: 'A control character, CR, LF or NUL included.' },
    INVALID_UNICODE: { description: 'An unpaired surrogate or a character that no address may have.' },
    UNCLOSED_QUOTE: { description: 'A quoted local part without its closing quote.' },
    TEXT_AFTER_QUOTE: { description: 'Something between the closing quote and the `@`.' },
    COMMENT_NOT_ALLOWED: { description: 'A comment: header syntax (RFC 5322), not SMTP syntax.' },
    EMPTY_DOMAIN: { description: 'Nothing after the `@`.' },
    DOMAIN_TOO_LONG: { description: 'More than 253 octets of domain.' },
    EMPTY_LABEL: { description: 'Two dots in a row in the domain, or one at its edge.' },
    LABEL_TOO_LONG: { description: 'More than 63 octets between two dots of the domain.' },
    LABEL_HYPHEN: { description: 'A part of the domain begins or ends with a hyphen.' },
    DOMAIN_CHARACTER_NOT_ALLOWED: { description: 'A character that a domain may not have.' },
    INVALID_IDN: { description: 'Not a valid internationalised domain name (RFC 5891).' },
    SINGLE_LABEL_DOMAIN: { description: 'The domain has no dot.' },
    NUMERIC_TLD: { description: 'The last part of the domain is a number.' },
    INVALID_DOMAIN_LITERAL: { description: 'A `[…]` that is no address literal (RFC 5321 §4.1.3).' },
    UNROUTABLE_DOMAIN_LITERAL: { description: 'Good syntax, but nobody can verify an address literal.' },
  } satisfies Record<SyntaxFaultCode, { description: string }>,
});

const SyntaxProblemType = builder.objectRef<SyntaxFault>('SyntaxProblem').implement({
  description: 'The first fault in an address.',
  fields: (t) => ({
    code: t.field({
      type: SyntaxFaultCodeType,
      description: 'Which rule was broken.',
      resolve: ({ code }) => code,
    }),
    message: t.exposeString('message', { description: 'One sentence for a person.' }),
    position: t.exposeInt('position', {
      description: 'Where it is: zero-based, in UTF-16 code units of what was given.',
    }),
  }),
});

export type SyntaxSource = { readonly problem: SyntaxFault | null };

export const SyntaxType = builder.objectRef<SyntaxSource>('Syntax').implement({
  description: 'Is the text a mailbox by the rules of SMTP (RFC 5321 §4.1.2, RFC 6531 §3.3)? Costs nothing.',
  fields: (t) => ({
    isValid: t.boolean({
      description: 'Can the address be asked about at all?',
      resolve: ({ problem }) => problem === null,
    }),
    problem: t.field({
      type: SyntaxProblemType,
      nullable: true,
      description: 'The first fault; null when there is none.',
      resolve: ({ problem }) => problem,
    }),
  }),
});
