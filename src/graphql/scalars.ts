import { GraphQLError, Kind, type ValueNode } from 'graphql';
import { parseDuration, printDuration } from '../duration.ts';
import { builder } from './builder.ts';

/** RFC 3339 §5.6, with a mandatory offset: a time without one is another time in each country. */
const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;

const badInput = (message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'BAD_INPUT' } });

const parseDateTime = (value: unknown): Date => {
  const date = typeof value === 'string' && rfc3339.test(value) ? new Date(value) : null;
  if (!date || Number.isNaN(date.getTime()))
    throw badInput('DateTime: expected RFC 3339 with an offset, such as 2030-01-31T12:00:00Z.');
  return date;
};

const parseSeconds = (value: unknown): number => {
  const seconds = typeof value === 'string' && value.length <= 64 ? parseDuration(value) : null;
  if (seconds === null)
    throw badInput('Duration: expected text such as 90s, 15m, 12h, 7d, PT1H or P1D, at most 36500d.');
  return seconds;
};

const parseUrl = (value: unknown): string => {
  if (typeof value !== 'string' || value.length > 2_048 || !URL.canParse(value))
    throw badInput('URL: expected an absolute URL of at most 2048 characters.');
  return value;
};

const parseByteCount = (value: unknown): number => {
  const count = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 0)
    throw badInput('ByteCount: expected a whole number from 0 to 9007199254740991.');
  return count;
};

const parseFile = (value: unknown): File => {
  const file = value as Partial<File> | null;
  if (typeof file !== 'object' || typeof file?.stream !== 'function' || typeof file.size !== 'number')
    throw badInput('File: expected a file by the GraphQL multipart request specification.');
  return file as File;
};

const readString = (node: ValueNode): unknown => (node.kind === Kind.STRING ? node.value : undefined);

builder.scalarType('DateTime', {
  description:
    'A moment as RFC 3339 with an offset; written in UTC with milliseconds: `2030-01-31T12:00:00.000Z`.',
  serialize: (value) => value.toISOString(),
  parseValue: parseDateTime,
  parseLiteral: (node) => parseDateTime(readString(node)),
});

builder.scalarType('Duration', {
  description:
    'A length of time: `90s`, `15m`, `12h`, `7d`, `2w`, or ISO 8601 without years and months (`PT1H`, `P1DT12H`). At most 100 years. Written in the shortest exact short form.',
  serialize: printDuration,
  parseValue: parseSeconds,
  parseLiteral: (node) => parseSeconds(readString(node)),
});

builder.scalarType('URL', {
  description: 'An absolute URL.',
  serialize: (value) => value,
  parseValue: parseUrl,
  parseLiteral: (node) => parseUrl(readString(node)),
});

builder.scalarType('ByteCount', {
  description:
    'A number of octets, written as a JSON number: a whole one, up to 2^53 - 1, since Int ends at 2 GB.',
  serialize: (value) => value,
  parseValue: parseByteCount,
  parseLiteral: (node) => parseByteCount(node.kind === Kind.INT ? node.value : undefined),
});

builder.scalarType('File', {
  description:
    'A file that comes with the request (GraphQL multipart request specification), at most 10 MB; the request needs the header `GraphQL-Require-Preflight`. Larger files: `createUpload`.',
  serialize: () => {
    throw badInput('File: is only an input.');
  },
  parseValue: parseFile,
  parseLiteral: () => {
    throw badInput('File: can only be a variable.');
  },
});
