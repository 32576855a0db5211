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
