/**
 * What a field costs, declared where the field is, as its `extensions`; `cost.ts` adds them up. A field without a
 * declaration costs 0 when it is a scalar and 1 when it is an object: it comes with its parent.
 */

import { grantedTo } from './access.ts';

/** What a field may have to ask, and what that counts. A question counts once, however much of its answer is selected. */
export const weights = { dns: 2, smtp: 20 } as const;

export type FieldCost = {
  readonly cost?: keyof typeof weights;
  readonly size?: ListSize;
};

/**
 * How many items a list has: as many as an argument says (a number, or a list of its own), or at most a number.
 * A connection names the field below it that has so many. A list that declares nothing comes with its parent and
 * counts as one object, so whatever can be asked further must declare it (a rule of `contract` holds it to that).
 */
export type ListSize = { readonly argument: string; readonly field?: string } | { readonly atMost: number };

/** What asks is not for the public, unless the field says otherwise: a page's visitors would choose whom we ask. */
export const asksDns = { cost: 'dns', ...grantedTo('verify') } as const satisfies FieldCost;
export const asksSmtp = { cost: 'smtp', ...grantedTo('verify') } as const satisfies FieldCost;

/** For `extensions` of a list that is as long as an argument says. */
export const sizedBy = (argument: string) => ({ size: { argument } }) as const satisfies FieldCost;

/** For `extensions` of a field that gives a connection. */
export const pagedBy = (argument: string) =>
  ({ size: { argument, field: 'edges' } }) as const satisfies FieldCost;

/** What a field of any schema declares; extensions of other makers are left alone. */
export const readFieldCost = ({ extensions }: { readonly extensions: object }): FieldCost => extensions;
