import { createHash } from 'node:crypto';
import type { Job } from '../jobs/index.ts';
import { builder } from './builder.ts';
import { BulkJobType } from './bulk-job.ts';
import { cutAddress } from './email.ts';
import { type ErrorSource, ErrorType, typeOfResult } from './error.ts';
import { refuse } from './refusal.ts';

/** The runaway: a list of millions in one request body, held in memory whole. Longer lists come as files. */
const mostInlineAddresses = 10_000;
/** What a person reads in a list of jobs. */
const longestName = 200;
/** Room for a UUID or a hash with a prefix; the store indexes it. */
const longestIdempotencyKey = 255;

type TooManyAddresses = ErrorSource & { readonly limit: number };

const EmptyListErrorType = builder.objectRef<ErrorSource>('EmptyListError').implement({
  description: 'The list has no row at all. Nothing was started.',
  interfaces: [ErrorType],
});

const TooManyAddressesErrorType = builder.objectRef<TooManyAddresses>('TooManyAddressesError').implement({
  description: 'The list is longer than one job may be. Nothing was started.',
  interfaces: [ErrorType],
  fields: (t) => ({ limit: t.exposeInt('limit', { description: 'The most rows that are taken this way.' }) }),
});

const IdempotencyConflictErrorType = builder.objectRef<ErrorSource>('IdempotencyConflictError').implement({
  description: 'The idempotency key was used before, with another input. Nothing was started.',
  interfaces: [ErrorType],
});

const StorageUnavailableErrorType = builder.objectRef<ErrorSource>('StorageUnavailableError').implement({
  description: 'The list could not be stored. Nothing was started; the same request may be repeated later.',
  interfaces: [ErrorType],
});

const StartBulkJobResultType = builder.unionType('StartBulkJobResult', {
  description: 'The job, or why there is none.',
  types: [
    BulkJobType,
    EmptyListErrorType,
    TooManyAddressesErrorType,
    IdempotencyConflictErrorType,
    StorageUnavailableErrorType,
  ],
  resolveType: typeOfResult('BulkJob'),
});

const BulkJobSourceInput = builder.inputType('BulkJobSourceInput', {
  description: 'Where the list comes from: exactly one of these.',
  isOneOf: true,
  fields: (t) => ({
    addresses: t.stringList({
      description: `The list itself, at most ${mostInlineAddresses} rows. A row that is no address gets its result like any other.`,
    }),
  }),
});

const StartBulkJobInput = builder.inputType('StartBulkJobInput', {
  description: 'What to verify, and under which name.',
  fields: (t) => ({
    source: t.field({ type: BulkJobSourceInput, required: true, description: 'Where the list comes from.' }),
    name: t.string({ description: `What people call it, at most ${longestName} characters.` }),
    idempotencyKey: t.string({
      description: `The same key with the same input gives the same job, so that a request may be repeated safely; at most ${longestIdempotencyKey} characters.`,
    }),
  }),
});

const tooMany = (limit: number): TooManyAddresses => ({
  code: 'TOO_MANY_ADDRESSES',
  message: `At most ${limit} addresses are taken this way.`,
  limit,
});

const hashInput = (name: string | null, addresses: readonly string[]): string =>
  createHash('sha256')
    .update(JSON.stringify([name, addresses]))
    .digest('hex');

const checkLength = (argument: string, text: string | null, most: number): void => {
  if (text !== null && (text.length > most || text.length === 0))
    throw refuse('BAD_INPUT', `${argument} must have 1 to ${most} characters, got ${text.length}.`, {
      argument,
      limit: most,
    });
};

builder.mutationField('startBulkJob', (t) =>
  t.field({
    type: StartBulkJobResultType,
    description: 'Takes a list in whole and starts verifying it. Watch it with `bulkJobProgress`.',
    args: { input: t.arg({ type: StartBulkJobInput, required: true, description: 'What to verify.' }) },
    resolve: async (_root, { input }, { services }): Promise<Job | ErrorSource | TooManyAddresses> => {
      const { name = null, idempotencyKey = null } = input;
      checkLength('name', name, longestName);
      checkLength('idempotencyKey', idempotencyKey, longestIdempotencyKey);
      const given = input.source.addresses ?? [];
      if (given.length > mostInlineAddresses) return tooMany(mostInlineAddresses);
      const addresses = given.map(cutAddress);
      const outcome = await services.jobs.start({
        name,
        addresses,
        idempotencyKey,
        inputHash: idempotencyKey === null ? null : hashInput(name, addresses),
      });
      switch (outcome.kind) {
        case 'started':
        case 'existing':
          return outcome.job;
        case 'emptyList':
          return { code: 'EMPTY_LIST', message: 'The list has no row.' };
        case 'tooManyRows':
          return tooMany(outcome.limit);
        case 'storeTrouble':
          return {
            code: 'STORAGE_UNAVAILABLE',
            message:
              'The gateway cannot store the list now: its disk is full or its database is down. Nothing was started; try again later.',
          };
        case 'idempotencyConflict':
          return {
            code: 'IDEMPOTENCY_CONFLICT',
            message:
              'This idempotencyKey was used before with another input: use another key, or repeat the same input.',
          };
      }
    },
  }),
);
