import { builder, openEnum } from './builder.ts';

/** Each code of a typed error with the name of its type: one sort of error, one type. */
const typeNames = {
  NOT_FOUND: 'NotFoundError',
  INVALID_STATE: 'InvalidStateError',
  EMPTY_LIST: 'EmptyListError',
  TOO_MANY_ADDRESSES: 'TooManyAddressesError',
  BAD_FILE: 'BadFileError',
  FILE_TOO_LARGE: 'FileTooLargeError',
  UPLOAD_INCOMPLETE: 'UploadIncompleteError',
  BAD_WEBHOOK: 'BadWebhookError',
  IDEMPOTENCY_CONFLICT: 'IdempotencyConflictError',
  STORAGE_UNAVAILABLE: 'StorageUnavailableError',
} as const;

export type ErrorSource = { readonly code: keyof typeof typeNames; readonly message: string };

/** Which type of a mutation's union a value is: the object itself, or the error of its code. */
export const typeOfResult =
  (objectName: string) =>
  (value: object): string =>
    'code' in value ? typeNames[(value as ErrorSource).code] : objectName;

const ErrorCodeType = builder.enumType('ErrorCode', {
  description: openEnum('What kind of error a mutation answered with.'),
  values: {
    NOT_FOUND: { description: 'There is no such object (any more).' },
    INVALID_STATE: { description: 'What was asked for makes no sense in the state that the object is in.' },
    EMPTY_LIST: { description: 'A list without a single row.' },
    TOO_MANY_ADDRESSES: { description: 'More rows than one job may have.' },
    BAD_FILE: { description: 'The file is no list that can be read.' },
    FILE_TOO_LARGE: { description: 'The file has more octets than may be given.' },
    UPLOAD_INCOMPLETE: { description: 'Octets of the upload are missing.' },
    BAD_WEBHOOK: { description: 'The webhook cannot be told anything: its URL or its secret is no good.' },
    IDEMPOTENCY_CONFLICT: { description: 'The idempotency key was used before, with another input.' },
    STORAGE_UNAVAILABLE: {
      description: 'The gateway cannot write: its disk is full or its database is down.',
    },
  } satisfies Record<ErrorSource['code'], { description: string }>,
});

export const ErrorType = builder.interfaceRef<ErrorSource>('Error').implement({
  description:
    'What every typed error of a mutation has. Select it, so that errors added later are seen too.',
  fields: (t) => ({
    message: t.exposeString('message', { description: 'One sentence for a person.' }),
    code: t.field({ type: ErrorCodeType, description: 'For programs.', resolve: ({ code }) => code }),
  }),
});

/** What a store in trouble is to a caller. */
export const storageUnavailable: ErrorSource = {
  code: 'STORAGE_UNAVAILABLE',
  message:
    'The gateway cannot store this now: its disk is full or its database is down. Nothing was changed; try again later.',
};

export const StorageUnavailableErrorType = builder
  .objectRef<ErrorSource>('StorageUnavailableError')
  .implement({
    description: 'It could not be stored. Nothing was changed; the same request may be repeated later.',
    interfaces: [ErrorType],
  });

export type FileTooLarge = ErrorSource & { readonly limitBytes: number };

/** @param setting null when the limit is none of the operator's */
export const tooLargeFile = (limitBytes: number, setting: string | null): FileTooLarge => ({
  code: 'FILE_TOO_LARGE',
  message: `At most ${limitBytes.toLocaleString('en')} octets are taken${setting === null ? ' this way: use createUpload' : ` (${setting})`}.`,
  limitBytes,
});

export const FileTooLargeErrorType = builder.objectRef<FileTooLarge>('FileTooLargeError').implement({
  description: 'The file has more octets than may be given. Nothing of it was kept.',
  interfaces: [ErrorType],
  fields: (t) => ({
    limitBytes: t.field({
      type: 'ByteCount',
      description: 'The most octets that are taken this way.',
      resolve: ({ limitBytes }) => limitBytes,
    }),
  }),
});

export const NotFoundErrorType = builder.objectRef<ErrorSource>('NotFoundError').implement({
  description: 'There is no such object (any more).',
  interfaces: [ErrorType],
});
