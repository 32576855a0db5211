/**
 * Who asks, told from the headers of a request, or on a WebSocket from what `connection_init` brought. Without any key
 * everybody who reaches the gateway may do everything; with one, nobody without.
 */
import { GraphQLError } from 'graphql';
import type { Access } from '../graphql/index.ts';
import type { ApiKey, Keys, Scope } from '../keys/index.ts';
import type { RequestFaultCode } from './fault.ts';

export type Account = {
  /** Null where there are none. */
  readonly key: ApiKey | null;
  /** Name of the bucket that it pays from; null: nothing is limited. */
  readonly bucket: string | null;
};

/** What a caller shows of itself. */
export type Credentials = {
  /** As the Authorization header has it. */
  readonly authorization: string | null;
  /** Of the page that asks, as its browser says; null when there is none. */
  readonly origin: string | null;
  /** Where it comes from, for limits alone. */
  readonly readClientIp: () => string;
};

export type AccountFault = {
  readonly code: Extract<RequestFaultCode, 'UNAUTHENTICATED' | 'ORIGIN_NOT_ALLOWED'>;
  readonly message: string;
};

const open: Account = { key: null, bucket: null };

const messages = {
  missing: 'This gateway asks for an API key: Authorization: Bearer rcpt_…',
  unknown: 'There is no such API key.',
  expired: 'The API key has expired.',
  revoked: 'The API key was revoked.',
} as const;

const unauthenticated = (why: keyof typeof messages): AccountFault => ({
  code: 'UNAUTHENTICATED',
  message: messages[why],
});

/** RFC 6750 §2.1; the scheme in any case (RFC 9110 §11.1). Null for another one. */
const readBearer = (authorization: string): string | null =>
  /^bearer +([^\s,]+) *$/i.exec(authorization)?.[1] ?? null;

/** An account, or what is wrong with the credentials. Never says which key they hold. */
export const identify = (
  keys: Keys,
  { authorization, origin, readClientIp }: Credentials,
):
  | { readonly kind: 'account'; readonly account: Account }
  | { readonly kind: 'fault'; readonly fault: AccountFault } => {
  if (!keys.isConfigured) return { kind: 'account', account: open };
  const text = authorization === null ? null : readBearer(authorization);
  if (text === null) return { kind: 'fault', fault: unauthenticated('missing') };
  const finding = keys.find(text);
  if (finding.kind !== 'key') return { kind: 'fault', fault: unauthenticated(finding.kind) };
  const { key } = finding;
  if (key.kind === 'SECRET') return { kind: 'account', account: { key, bucket: key.id } };
  // Whoever is no browser can say what it likes here: what this stops is the page of somebody else.
  if (origin === null || !key.origins.includes(origin))
    return {
      kind: 'fault',
      fault: {
        code: 'ORIGIN_NOT_ALLOWED',
        message: 'This publishable API key is bound to other origins than that of this page.',
      },
    };
  return { kind: 'account', account: { key, bucket: `${key.id} ${readClientIp()}` } };
};

/** Of what was asked with a key that was good then, or while there was none. */
export const endOf = ({ key }: Account): AccountFault =>
  key === null
    ? unauthenticated('missing')
    : { code: 'UNAUTHENTICATED', message: 'The API key was revoked or has expired.' };

/** What a refusal looks like where there is no response of ours to give it a status. */
export const accountError = ({ code, message }: AccountFault): GraphQLError =>
  new GraphQLError(message, { extensions: { code } });

/** Does the key open what a field is granted to? */
export const grants = (key: ApiKey | null, access: Access): boolean => {
  if (key === null || access === 'anyone') return true;
  if (key.kind === 'PUBLISHABLE') return access === 'public';
  return access === 'secret' || key.scopes.includes('admin') || key.scopes.includes(scopeOf(access));
};

/** The scope that opens it. */
export const scopeOf = (access: Exclude<Access, 'anyone' | 'secret'>): Scope =>
  access === 'public' ? 'verify' : access;
