/** The domains that people mean, most used first: when two are equally near, the earlier one is meant. */
export const wellKnownDomains: readonly string[] = [
  'gmail.com',
  'hotmail.com',
  'yahoo.com',
  'outlook.com',
  'icloud.com',
  'aol.com',
  'live.com',
];
