import type { Greeting, TlsFacts } from '../smtp/index.ts';
import { builder } from './builder.ts';
import { ReplyType } from './reply.ts';

const isReachable = ({ attempts }: Greeting): boolean =>
  attempts.some(({ outcome }) => outcome.kind === 'connected');

const CertificateType = builder.objectRef<NonNullable<TlsFacts['certificate']>>('Certificate').implement({
  description: 'What a mail exchange shows of itself in TLS (RFC 5280). Reported, never required.',
  fields: (t) => ({
    subject: t.exposeString('subject', { description: 'Whom it is made out to.' }),
    issuer: t.exposeString('issuer', { description: 'Who signed it.' }),
    validTo: t.field({
      type: 'DateTime',
      description: 'When it expires.',
      resolve: ({ validTo }) => validTo,
    }),
    altNames: t.exposeStringList('altNames', { description: 'The names and addresses it is good for.' }),
  }),
});

const TlsType = builder.objectRef<TlsFacts>('Tls').implement({
  description: 'What was agreed in the TLS handshake after STARTTLS (RFC 3207).',
  fields: (t) => ({
    version: t.exposeString('version', { description: 'Protocol version, such as `TLSv1.3`.' }),
    cipher: t.exposeString('cipher', { description: "The cipher suite's IANA name." }),
    isTrusted: t.exposeBoolean('isTrusted', {
      description: 'Does the chain end at a known root, and is the certificate made out to this host?',
    }),
    certificate: t.field({
      type: CertificateType,
      nullable: true,
      description: 'The certificate of the exchange; null when it showed none.',
      resolve: ({ certificate }) => certificate,
    }),
  }),
});

export const GreetingType = builder.objectRef<Greeting>('Greeting').implement({
  description: 'What an exchange says of itself in one session that asks about nobody.',
  fields: (t) => ({
    isReachable: t.boolean({
      description: 'Could one of its addresses be connected to?',
      resolve: isReachable,
    }),
    address: t.exposeString('ip', {
      nullable: true,
      description: 'The IP address that answered; null when none did.',
    }),
    banner: t.exposeString('banner', {
      nullable: true,
      description: 'Text of its first reply; null when it did not greet.',
    }),
    capabilities: t.exposeStringList('capabilities', {
      description: 'EHLO keywords with their parameters, as written: those said in TLS where it is offered.',
    }),
    supportsStartTls: t.exposeBoolean('supportsStartTls', { description: 'Does it offer STARTTLS?' }),
    supportsPipelining: t.exposeBoolean('supportsPipelining', {
      description: 'Does it offer PIPELINING (RFC 2920)?',
    }),
    supportsSmtpUtf8: t.exposeBoolean('supportsSmtpUtf8', {
      description: 'Does it offer SMTPUTF8 (RFC 6531)?',
    }),
    maxMessageBytes: t.exposeFloat('maxMessageBytes', {
      nullable: true,
      description: 'The largest message it takes (SIZE, RFC 1870); null when it does not say.',
    }),
    tls: t.field({
      type: TlsType,
      nullable: true,
      description: 'The TLS it spoke; null when it offers none or the handshake failed.',
      resolve: ({ tls }) => tls,
    }),
    reply: t.field({
      type: ReplyType,
      nullable: true,
      description: 'Its refusal, or else its reply to EHLO; null when nothing came.',
      resolve: ({ reply }) => reply,
    }),
  }),
});
