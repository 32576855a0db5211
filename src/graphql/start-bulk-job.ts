import type { IntakeFaultCode, Job, ListSource, StartOutcome } from '../jobs/index.ts';
import { grantedTo } from './access.ts';
import { builder } from './builder.ts';
import { BulkJobType } from './bulk-job.ts';
import { cutAddress } from './email.ts';
import {
  type ErrorSource,
  ErrorType,
  FileTooLargeErrorType,
  NotFoundErrorType,
  StorageUnavailableErrorType,
  storageUnavailable,
  tooLargeFile,
  typeOfResult,
} from './error.ts';
import { readGlobalIdOf } from './global-id.ts';
import { checkLength } from './refusal.ts';

/** The runaway: a list of millions in one request body, held in memory whole. Longer lists come as files. */
const mostInlineAddresses = 10_000;
/** The same for a file that comes with the request. */
const mostFileBytes = 10_000_000;
/** What a person reads in a list of jobs. */
const longestName = 200;
/** Room for a UUID or a hash with a prefix; the store indexes it. */
const longestIdempotencyKey = 255;
/** Headers are rarely longer than a few words. */
const longestColumn = 1_000;
/** `whsec_` and 64 octets in Base64 have 94. */
const longestSecret = 200;

type TooManyAddresses = ErrorSource & { readonly limit: number };
type BadFile = ErrorSource & { readonly problem: IntakeFaultCode };
type UploadIncomplete = ErrorSource & { readonly receivedBytes: number };

const EmptyListErrorType = builder.objectRef<ErrorSource>('EmptyListError').implement({
  description: 'The list has no row at all. Nothing was started.',
  interfaces: [ErrorType],
});

const TooManyAddressesErrorType = builder.objectRef<TooManyAddresses>('TooManyAddressesError').implement({
  description: 'The list is longer than one job may be. Nothing was started.',
  interfaces: [ErrorType],
  fields: (t) => ({ limit: t.exposeInt('limit', { description: 'The most rows that are taken this way.' }) }),
});

const BadFileErrorType = builder.objectRef<BadFile>('BadFileError').implement({
  description:
    'The file is no list that can be read; the message says what to do. Nothing was started, and an upload stays, so that the request can be corrected.',
  interfaces: [ErrorType],
  fields: (t) => ({
    problem: t.exposeString('problem', {
      description:
        'What is wrong, for programs, such as NO_ADDRESS_COLUMN, UNKNOWN_COLUMN, BINARY_FILE or LINE_TOO_LONG. New values may be added.',
    }),
  }),
});

const UploadIncompleteErrorType = builder.objectRef<UploadIncomplete>('UploadIncompleteError').implement({
  description: 'Octets of the upload are missing. Nothing was started.',
  interfaces: [ErrorType],
  fields: (t) => ({
    receivedBytes: t.field({
      type: 'ByteCount',
      description: 'Octets that have arrived: where to go on.',
      resolve: ({ receivedBytes }) => receivedBytes,
    }),
  }),
});

const BadWebhookErrorType = builder.objectRef<ErrorSource>('BadWebhookError').implement({
  description: 'The webhook cannot be told anything: its URL or its secret is no good. Nothing was started.',
  interfaces: [ErrorType],
});

const IdempotencyConflictErrorType = builder.objectRef<ErrorSource>('IdempotencyConflictError').implement({
  description: 'The idempotency key was used before, with another input. Nothing was started.',
  interfaces: [ErrorType],
});

const StartBulkJobResultType = builder.unionType('StartBulkJobResult', {
  description: 'The job, or why there is none.',
  types: [
    BulkJobType,
    EmptyListErrorType,
    TooManyAddressesErrorType,
    BadFileErrorType,
    FileTooLargeErrorType,
    NotFoundErrorType,
    UploadIncompleteErrorType,
    BadWebhookErrorType,
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
    uploadId: t.id({
      description: 'Global id of a complete Upload. Its octets are erased once the job is there.',
    }),
    file: t.field({ type: 'File', description: 'A file that comes with the request, at most 10 MB.' }),
  }),
});

const WebhookInput = builder.inputType('WebhookInput', {
  description: 'Whom to tell, by POST, signed after Standard Webhooks.',
  fields: (t) => ({
    url: t.field({
      type: 'URL',
      required: true,
      description: 'An https or http URL, at a host that is not at a special-purpose address.',
    }),
    secret: t.string({
      required: true,
      description: 'What to sign with: `whsec_` and 24 to 64 octets in Base64. It is never given out again.',
    }),
    progress: t.boolean({
      description: 'Also at each tenth of the rows, and not at the end alone? Default: false.',
    }),
  }),
});

const StartBulkJobInput = builder.inputType('StartBulkJobInput', {
  description: 'What to verify, and under which name.',
  fields: (t) => ({
    source: t.field({ type: BulkJobSourceInput, required: true, description: 'Where the list comes from.' }),
    name: t.string({ description: `What people call it, at most ${longestName} characters.` }),
    column: t.string({
      description:
        'The column of a file that holds the addresses: its header, in any case, or its number from 1. Default: found by header and content.',
    }),
    maxAge: t.field({
      type: 'Duration',
      description: 'Ask anew when the remembered verdict is older. Default: as old as verdicts are kept.',
    }),
    retention: t.field({
      type: 'Duration',
      description: 'After which the job is erased. Default, and the most: RCPT_RETENTION.',
    }),
    webhook: t.field({ type: WebhookInput, description: 'Whom to tell of its end. Default: nobody.' }),
    idempotencyKey: t.string({
      description: `The same key with the same input gives the same job, so that a request may be repeated safely; at most ${longestIdempotencyKey} characters.`,
    }),
  }),
});

const tooMany = (limit: number, how: string): TooManyAddresses => ({
  code: 'TOO_MANY_ADDRESSES',
  message: `At most ${limit.toLocaleString('en')} ${how}.`,
  limit,
});

type Failure = Exclude<StartOutcome, { readonly kind: 'started' | 'existing' }>;

const errorOf = (outcome: Failure): ErrorSource | TooManyAddresses | BadFile | UploadIncomplete => {
  switch (outcome.kind) {
    case 'emptyList':
      return { code: 'EMPTY_LIST', message: 'The list has no row.' };
    case 'tooManyRows':
      return tooMany(outcome.limit, 'rows are taken in one job (RCPT_MAX_ROWS)');
    case 'badFile':
      return { code: 'BAD_FILE', message: outcome.message, problem: outcome.code };
    case 'noUpload':
      return { code: 'NOT_FOUND', message: 'There is no such upload (any more), or a job was made of it.' };
    case 'uploadIncomplete':
      return {
        code: 'UPLOAD_INCOMPLETE',
        message: `Of the upload ${outcome.receivedBytes.toLocaleString('en')} octets have arrived, and more must: PUT the rest to its url first.`,
        receivedBytes: outcome.receivedBytes,
      };
    case 'badWebhook':
      return { code: 'BAD_WEBHOOK', message: outcome.message };
    case 'storeTrouble':
      return storageUnavailable;
    case 'idempotencyConflict':
      return {
        code: 'IDEMPOTENCY_CONFLICT',
        message:
          'This idempotencyKey was used before with another input: use another key, or repeat the same input.',
      };
  }
};

type Source = typeof BulkJobSourceInput.$inferInput;

/** The `@oneOf` directive has seen to it that there is exactly one. */
const readSource = ({ addresses, uploadId, file }: Source): ListSource | ErrorSource => {
  if (file) {
    if (file.size > mostFileBytes) return tooLargeFile(mostFileBytes, null);
    const readContent = () => file.stream() as unknown as AsyncIterable<Uint8Array>;
    return { kind: 'file', fileName: file.name || null, readContent };
  }
  if (uploadId) return { kind: 'upload', uploadId: readGlobalIdOf('Upload', uploadId) };
  const given = addresses ?? [];
  return given.length > mostInlineAddresses
    ? tooMany(mostInlineAddresses, 'addresses are taken this way: give them as a file')
    : { kind: 'addresses', addresses: given.map(cutAddress) };
};

builder.mutationField('startBulkJob', (t) =>
  t.field({
    type: StartBulkJobResultType,
    extensions: grantedTo('bulk'),
    description: 'Takes a list in whole and starts verifying it. Watch it with `bulkJobProgress`.',
    args: { input: t.arg({ type: StartBulkJobInput, required: true, description: 'What to verify.' }) },
    resolve: async (_root, { input }, { services }): Promise<Job | ErrorSource> => {
      const { name = null, column = null, idempotencyKey = null, webhook = null } = input;
      checkLength('name', name, longestName);
      checkLength('column', column, longestColumn);
      checkLength('idempotencyKey', idempotencyKey, longestIdempotencyKey);
      checkLength('secret', webhook?.secret ?? null, longestSecret);
      const source = readSource(input.source);
      if ('code' in source) return source;
      const outcome = await services.jobs.start({
        source,
        name,
        column,
        maxAgeSeconds: input.maxAge ?? null,
        retentionSeconds: input.retention ?? null,
        webhook: webhook && {
          url: webhook.url,
          secret: webhook.secret,
          tellsProgress: webhook.progress ?? false,
        },
        idempotencyKey,
      });
      return 'job' in outcome ? outcome.job : errorOf(outcome);
    },
  }),
);
