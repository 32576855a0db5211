/**
 * Who may ask for a field, declared where the field is, as its `extensions`; `cost.ts` gathers it from a document, and
 * `server` refuses what a key does not grant before anything runs. A field that declares nothing comes with its
 * parent. Whose a job is, no field says: the loaders give nobody another's.
 */

/**
 * Scopes of secret keys: `verify` single addresses and domains, `bulk` lists, `admin` the gateway's own affairs.
 * `public` is what a publishable key opens too, beside the scope `verify`; `secret` what every secret key opens, whatever its
 * scopes; `anyone` what every key does.
 */
export type Access = 'anyone' | 'secret' | 'public' | 'verify' | 'bulk' | 'admin';

/** Of a field of Query, Mutation or Subscription that says nothing (a rule of `contract` finds it): as little as can be. */
export const unsaid: Access = 'admin';

export type FieldAccess = { readonly access?: Access };

/** For `extensions`, beside what the field costs. */
export const grantedTo = <Granted extends Access>(access: Granted) =>
  ({ access }) as const satisfies FieldAccess;

/** What a field of any schema declares; null when it declares nothing. */
export const readFieldAccess = ({ extensions }: { readonly extensions: object }): Access | null =>
  (extensions as FieldAccess).access ?? null;
