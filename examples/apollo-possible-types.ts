/**
 * Which types an interface has. Without it Apollo's cache drops what `... on Error` selects, with a warning in development
 * and silently in production. All errors end in `Error`, so the pattern knows those that will be added later.
 */
export const possibleTypes = {
  Error: [
    'BadFileError',
    'BadWebhookError',
    'EmptyListError',
    'FileTooLargeError',
    'IdempotencyConflictError',
    'InvalidStateError',
    'NotFoundError',
    'StorageUnavailableError',
    'TooManyAddressesError',
    'UploadIncompleteError',
    '.+Error',
  ],
  Node: ['BulkJob', 'Domain', 'Email', 'MailExchange', 'Upload'],
};
