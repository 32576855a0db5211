import { readdirSync, readFileSync } from 'node:fs';

/** A client document of `schema/operations`, as a GraphiQL tab. */
export type OperationTab = { readonly name: string; readonly query: string; readonly variables: string };

/** The order in which a newcomer tries them; documents that are not named here come last, by name. */
const order = [
  'VerifyEmail',
  'SyntaxOnly',
  'VerifyEmails',
  'WatchVerification',
  'DomainProfile',
  'ExchangeProfile',
  'CreateUpload',
  'StartBulkJob',
  'BulkJobProgress',
  'BulkJobResults',
  'BulkJob',
  'BulkJobs',
  'ControlBulkJob',
  'Gateway',
];

/** What stands in a tab's variables when nobody gave better ones; example.com has a null MX and is nobody's. */
const plainVariables: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  VerifyEmail: { address: 'someone@example.com', maxAge: '7d' },
  SyntaxOnly: { address: 'someone@gmial.com' },
  VerifyEmails: { addresses: ['someone@example.com', 'not an address'] },
  WatchVerification: { address: 'someone@example.com', waitForRetry: false },
  DomainProfile: { name: 'example.com' },
  ExchangeProfile: { host: 'mx.example.com' },
  CreateUpload: { input: { fileName: 'list.csv' } },
  StartBulkJob: {
    input: { name: 'first list', source: { addresses: ['someone@example.com', 'not an address'] } },
  },
  BulkJobProgress: { id: 'the id that StartBulkJob answered with' },
  BulkJobResults: { id: 'the id that StartBulkJob answered with' },
  BulkJob: { id: 'the id that StartBulkJob answered with', first: 20 },
  BulkJobs: { first: 20 },
  ControlBulkJob: { id: 'the id that StartBulkJob answered with' },
};

/** What stands there in the sandbox: addresses of its personalities, one of each colour. */
const sandboxVariables: typeof plainVariables = {
  VerifyEmail: { address: 'user1@accepts.test', maxAge: '7d' },
  VerifyEmails: {
    addresses: [
      'user1@accepts.test',
      'nobody@accepts.test',
      'user1@catch-all.test',
      'user1@greylisting.test',
      'not an address',
    ],
  },
  WatchVerification: { address: 'user2@accepts.test', waitForRetry: false },
  DomainProfile: { name: 'accepts.test' },
  ExchangeProfile: { host: 'mx.accepts.test' },
  StartBulkJob: {
    input: {
      name: 'first list',
      source: {
        addresses: ['user1@accepts.test', 'nobody@accepts.test', 'user1@catch-all.test', 'not an address'],
      },
    },
  },
};

const folder = new URL('../../schema/operations/', import.meta.url);

/**
 * Read once, at start; the folder is part of the package.
 * @param known variables that stand before ours, by operation name: ids of what this gateway holds
 * @throws when the folder is missing
 */
export const readOperationTabs = (
  isSandbox: boolean,
  known: typeof plainVariables = {},
): readonly OperationTab[] => {
  const variables = { ...plainVariables, ...(isSandbox ? sandboxVariables : {}), ...known };
  const rank = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return readdirSync(folder)
    .filter((file) => file.endsWith('.graphql'))
    .map((file) => file.slice(0, -'.graphql'.length))
    .toSorted((a, b) => rank(a) - rank(b) || a.localeCompare(b))
    .map((name) => ({
      name,
      query: readFileSync(new URL(`${name}.graphql`, folder), 'utf8'),
      variables: JSON.stringify(variables[name] ?? {}, null, 2),
    }));
};
