import type { Upload } from '../jobs/index.ts';
import { grantedTo } from './access.ts';
import { builder } from './builder.ts';
import {
  type ErrorSource,
  FileTooLargeErrorType,
  StorageUnavailableErrorType,
  storageUnavailable,
  tooLargeFile,
  typeOfResult,
} from './error.ts';
import { checkLength } from './refusal.ts';
import { UploadType } from './upload.ts';

/** A path in front of the name is dropped; what is longer is no name. */
const longestFileName = 1_000;

const CreateUploadResultType = builder.unionType('CreateUploadResult', {
  description: 'Where to send the file, or why nowhere.',
  types: [UploadType, FileTooLargeErrorType, StorageUnavailableErrorType],
  resolveType: typeOfResult('Upload'),
});

const CreateUploadInput = builder.inputType('CreateUploadInput', {
  description: 'What is known of the file before it is sent.',
  fields: (t) => ({
    fileName: t.string({
      description: `What it is called, at most ${longestFileName} characters; its extension is a hint at its format. A path is dropped.`,
    }),
    sizeBytes: t.field({
      type: 'ByteCount',
      description: 'Its octets, so that too many are refused before they are sent. Default: not known.',
    }),
  }),
});

builder.mutationField('createUpload', (t) =>
  t.field({
    type: CreateUploadResultType,
    extensions: grantedTo('bulk'),
    description:
      'Makes room for a file: CSV, TSV, TXT or NDJSON, gzipped or not. Send it by PUT to `url`, then start a job with its id.',
    args: { input: t.arg({ type: CreateUploadInput, required: true, description: 'What is known of it.' }) },
    resolve: async (_root, { input }, { services }): Promise<Upload | ErrorSource> => {
      const { fileName = null, sizeBytes = null } = input;
      checkLength('fileName', fileName, longestFileName);
      const outcome = await services.uploads.create({ fileName, sizeBytes });
      switch (outcome.kind) {
        case 'created':
          return outcome.upload;
        case 'tooLarge':
          return tooLargeFile(outcome.limitBytes, 'RCPT_MAX_UPLOAD_BYTES');
        case 'storeTrouble':
          return storageUnavailable;
      }
    },
  }),
);
