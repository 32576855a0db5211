import { builder, openEnum } from './builder.ts';

/** Each code of a typed error with the name of its type: one sort of error, one type. */
const typeNames = {
  NOT_FOUND: 'NotFoundError',
  EMPTY_LIST: 'EmptyListError',
  TOO_MANY_ADDRESSES: 'TooManyAddressesError',
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
    EMPTY_LIST: { description: 'A list without a single row.' },
    TOO_MANY_ADDRESSES: { description: 'More rows than one job may have.' },
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

export const NotFoundErrorType = builder.objectRef<ErrorSource>('NotFoundError').implement({
  description: 'There is no such object (any more).',
  interfaces: [ErrorType],
});
