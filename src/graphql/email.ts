import {
  type ParsedAddress,
  parseAddress,
  printCanonical,
  readTag,
  suggestAddress,
} from '../address/index.ts';
import { isKnownDomain, isRole } from '../catalog/index.ts';
import { grantedTo } from './access.ts';
import { builder } from './builder.ts';
import { DomainType } from './domain.ts';
import { asksSmtp, sizedBy } from './field-cost.ts';
import { MailboxType } from './mailbox.ts';
import { largestPage } from './page.ts';
import { refuse } from './refusal.ts';
import { SyntaxType } from './syntax.ts';
import { VerificationType } from './verification.ts';

/** The runaway: a text of megabytes, echoed once for each alias of a document. No address is longer than 254. */
const longestEcho = 1_000;

/** Past the ceiling a text is cut, which changes nothing about it: it is TOO_LONG either way. */
export const cutAddress = (text: string): string =>
  text.length > longestEcho ? text.slice(0, longestEcho) : text;

export const readEmail = (text: string): ParsedAddress => parseAddress(cutAddress(text));

const maxAgeDescription =
  'Refuse a remembered answer that is older; `0s` always asks. Default: as long as the answer is good for.';

const EmailType = builder.node(builder.objectRef<ParsedAddress>('Email'), {
  description: 'An email address, or a text that wants to be one. What you do not select is not looked up.',
  id: { resolve: (email) => inputOf(email) },
  loadOne: readEmail,
  fields: (t) => ({
    address: t.string({
      description: `Exactly what was given, cut at ${longestEcho} characters.`,
      resolve: inputOf,
    }),
    normalized: t.string({
      nullable: true,
      description: 'Domain as A-label in lower case, local part in NFC; null when it is no address.',
      resolve: (email) => (email.kind === 'address' ? email.address.normalized : null),
    }),
    canonical: t.string({
      nullable: true,
      description:
        "The mailbox behind it by its provider's own rules: tags, and dots where they do not count, removed. Null when it is no address.",
      resolve: (email) => (email.kind === 'address' ? printCanonical(email.address) : null),
    }),
    localPart: t.string({
      nullable: true,
      description: 'What stands before the `@`; null when it is no address.',
      resolve: (email) => (email.kind === 'address' ? email.address.localPart : null),
    }),
    tag: t.string({
      nullable: true,
      description:
        'The part that the provider ignores, such as `news` in `ada+news@…`, or what follows a `+` where its rules are not known (`canonical` then keeps it); null when there is none.',
      resolve: (email) => (email.kind === 'address' ? readTag(email.address) : null),
    }),
    isRole: t.boolean({
      description: 'Does it belong to a function (`info`, `abuse`) rather than to a person?',
      resolve: (email) => email.kind === 'address' && isRole(email.address.localPart),
    }),
    requiresSmtpUtf8: t.boolean({
      description: 'Does the local part have characters outside ASCII (RFC 6531)?',
      resolve: (email) => email.kind === 'address' && email.address.requiresSmtpUtf8,
    }),
    suggestion: t.string({
      nullable: true,
      description: 'What was probably meant, when the domain looks mistyped; null when it does not.',
      resolve: (email) => (email.kind === 'address' ? suggestAddress(email.address, isKnownDomain) : null),
    }),
    syntax: t.field({
      type: SyntaxType,
      description: 'Is it a mailbox by the rules of SMTP? Costs nothing.',
      resolve: (email) => ({ problem: email.kind === 'fault' ? email.fault : null }),
    }),
    domain: t.field({
      type: DomainType,
      nullable: true,
      description: 'What stands after the `@`; null when it is no address.',
      resolve: (email) => (email.kind === 'address' ? email.address : null),
    }),
    verification: t.field({
      type: VerificationType,
      nullable: true,
      extensions: { ...asksSmtp, ...grantedTo('public') },
      description:
        'The verdict. Costs DNS and SMTP unless it is remembered; one asking serves `mailbox` too.',
      args: { maxAge: t.arg({ type: 'Duration', description: maxAgeDescription }) },
      resolve: (email, { maxAge }, { lookups }) => lookups.verify(email, maxAge ?? null),
    }),
    mailbox: t.field({
      type: MailboxType,
      nullable: true,
      extensions: { ...asksSmtp, ...grantedTo('public') },
      description:
        'The receipt: what its mail servers said. Null when none was asked, because syntax, DNS or a limit of ours had decided already. Costs what `verification` costs.',
      args: { maxAge: t.arg({ type: 'Duration', description: maxAgeDescription }) },
      resolve: async (email, { maxAge }, { lookups }) => {
        const { evidence } = await lookups.verify(email, maxAge ?? null);
        return evidence.kind === 'probe' || evidence.kind === 'egress' ? evidence.probe : null;
      },
    }),
  }),
});

function inputOf(email: ParsedAddress): string {
  return email.kind === 'address' ? email.address.input : email.input;
}

builder.queryFields((t) => ({
  email: t.field({
    type: EmailType,
    extensions: grantedTo('public'),
    description: 'One address. A text that is none is answered too: `syntax.problem` says why.',
    args: { address: t.arg.string({ required: true, description: 'The text, as a person typed it.' }) },
    resolve: (_root, { address }) => readEmail(address),
  }),
  emails: t.field({
    type: [EmailType],
    extensions: { ...sizedBy('addresses'), ...grantedTo('verify') },
    description: `Up to ${largestPage} addresses, in the order given; DNS and SMTP are shared among them. For more, start a bulk job.`,
    args: {
      addresses: t.arg.stringList({ required: true, description: `The texts, at most ${largestPage}.` }),
    },
    resolve: (_root, { addresses }) => {
      if (addresses.length > largestPage)
        throw refuse(
          'TOO_MANY_ADDRESSES',
          `emails takes at most ${largestPage} addresses, got ${addresses.length}: start a bulk job instead.`,
          { argument: 'addresses', limit: largestPage },
        );
      return addresses.map(readEmail);
    },
  }),
}));
