import { refuse } from './refusal.ts';

/** The runaway: one request that makes the gateway load a list of any length. */
export const mostNodes = 100;
/** The longest id given out holds an address cut at 1,000 characters; more is no id of ours and is not decoded. */
const longestIdLength = 8_192;

const shape = /^([A-Za-z]{1,40}):(.+)$/s;

/** `Type:key` in base64url without padding (RFC 4648 §5). Opaque to clients. */
export const writeGlobalId = (type: string, key: string): string =>
  Buffer.from(`${type}:${key}`, 'utf8').toString('base64url');

/** @throws BAD_ID when the text is no id that `writeGlobalId` could have made */
export const readGlobalId = (id: string): { typename: string; id: string } => {
  const decoded = id.length <= longestIdLength ? Buffer.from(id, 'base64url').toString('utf8') : '';
  const [, typename, key] = shape.exec(decoded) ?? [];
  if (!typename || !key || !nodeTypes.has(typename))
    throw refuse('BAD_ID', 'This is not an id that the API gave out.', { id: id.slice(0, 100) });
  return { typename, id: key };
};

/** The key of an id that must be of one type. @throws BAD_ID that names the type it is of */
export const readGlobalIdOf = (type: string, id: string): string => {
  const read = readGlobalId(id);
  if (read.typename !== type)
    throw refuse('BAD_ID', `Expected the id of a ${type}, got the id of a ${read.typename}.`, {
      expectedType: type,
      actualType: read.typename,
    });
  return read.id;
};

/** Types that have global ids; an id of any other type was not made by us. */
const nodeTypes: ReadonlySet<string> = new Set(['BulkJob', 'Domain', 'Email', 'MailExchange', 'Upload']);
