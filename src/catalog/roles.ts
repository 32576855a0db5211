/** Local parts that belong to a function rather than to a person. */
const roles: ReadonlySet<string> = new Set([
  'abuse',
  'admin',
  'info',
  'postmaster',
  'sales',
  'support',
  'webmaster',
  'hostmaster',
  'noc',
  'security',
  'contact',
]);

/** Does this local part belong to a function (RFC 2142)? Case and a `+tag` do not matter. */
export const isRole = (localPart: string): boolean => {
  const plus = localPart.indexOf('+');
  return roles.has((plus > 0 ? localPart.slice(0, plus) : localPart).toLowerCase());
};
