/** `rcpt keys`: makes, lists and revokes API keys, beside a gateway that runs or not; it hears of it within a second. */
import type { Config } from '../config.ts';
import { ConfigError, duration, integer, list, webOrigin } from '../config-values.ts';
import {
  type ApiKey,
  drawKey,
  hashKeyText,
  isKeyText,
  type KeptKey,
  type KeyWish,
  KeyWishError,
  lifeOf,
  type Scope,
  scopes,
} from '../keys/index.ts';
import { openKeyStore } from './store.ts';

/** One line for the person at the terminal, as every error with a code is. */
class KeysFailed extends Error {
  readonly code = 'KEYS_FAILED';
}

/** More a minute than any machine can serve. */
const mostPoints = 100_000_000;

type Print = { readonly isJson: boolean };

const stateOf = (key: ApiKey, now: Date): string => {
  const life = lifeOf(key, now);
  return life === 'living' ? 'good' : life;
};

const printDay = (date: Date | null, none: string): string =>
  date === null ? none : date.toISOString().slice(0, 16).replace('T', ' ');

/** All but its hash. */
const printJson = (key: ApiKey, now: Date): object => ({
  id: key.id,
  name: key.name,
  kind: key.kind,
  prefix: key.prefix,
  state: stateOf(key, now),
  scopes: key.scopes,
  origins: key.origins,
  pointsPerMinute: key.pointsPerMinute,
  isPersistedOnly: key.isPersistedOnly,
  createdAt: key.createdAt,
  expiresAt: key.expiresAt,
  revokedAt: key.revokedAt,
  lastUsedAt: key.lastUsedAt,
});

const inStore = async <Result>(
  config: Config,
  work: (store: Awaited<ReturnType<typeof openKeyStore>>['keys']) => Promise<Result>,
): Promise<Result> => {
  // A connection that breaks rejects what waits for it, which is all there is here.
  const { keys, close } = await openKeyStore(config, () => undefined);
  try {
    return await work(keys);
  } finally {
    await close();
  }
};

/** As the command line gives them. */
export type KeyFlags = {
  readonly name?: string;
  readonly scope?: string;
  readonly origin?: readonly string[];
  readonly perMinute?: string;
  readonly expires?: string;
  readonly persistedOnly?: true;
  readonly json?: true;
  readonly sandbox?: true;
};

const readScope = (text: string): Scope =>
  scopes.find((scope) => scope === text) ??
  fail(`${JSON.stringify(text)} is no scope: verify, bulk and admin are`);

const fail = (message: string): never => {
  throw new KeyWishError(message);
};

/** A setting's words for what is wrong, with the name of the option. */
const readOption = <Value>(name: string, text: string, parse: (text: string) => Value): Value => {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof ConfigError) return fail(`${name}: ${error.message}`);
    throw error;
  }
};

/** @throws KeyWishError in one line */
export const readWish = (flags: KeyFlags, now: Date): KeyWish => {
  const { name = '', scope = '', origin = [], perMinute, expires } = flags;
  const lifeSeconds = expires === undefined ? null : readOption('--expires', expires, duration);
  return {
    name,
    scopes: list(readScope)(scope),
    origins: origin.flatMap((text) => readOption('--origin', text, list(webOrigin))),
    pointsPerMinute:
      perMinute === undefined ? null : readOption('--per-minute', perMinute, integer(1, mostPoints)),
    expiresAt: lifeSeconds === null ? null : new Date(now.getTime() + lifeSeconds * 1_000),
    isPersistedOnly: flags.persistedOnly ?? false,
  };
};

/** Prints the key alone to standard output, so that a script can take it; what a person reads goes to standard error. */
export const createKey = async (wish: KeyWish, config: Config, { isJson }: Print): Promise<void> => {
  const now = new Date();
  const { key, text } = drawKey(wish, now);
  await inStore(config, (store) => store.createKey(key));
  if (isJson) {
    console.log(JSON.stringify({ key: text, ...printJson(key, now) }));
    return;
  }
  console.log(text);
  const bound = key.kind === 'PUBLISHABLE' ? `, for pages of ${key.origins.join(', ')}` : '';
  console.error(
    `The key ${key.name} may ${key.scopes.join(', ')}${bound}; ${key.pointsPerMinute} points a minute${
      key.kind === 'PUBLISHABLE' ? ' for each client' : ''
    }. It is shown this once: keep it now.`,
  );
};

const matches = ({ id, prefix, name }: ApiKey, search: string): boolean =>
  id === search || prefix.startsWith(search) || name.toLowerCase().includes(search.toLowerCase());

/** The widest cell of each column decides. */
const printTable = (rows: readonly (readonly string[])[]): string => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

/** @param search beginning of a key, or a part of its name; null: all */
export const listKeys = async (search: string | null, config: Config, { isJson }: Print): Promise<void> => {
  const now = new Date();
  const all = await inStore(config, (store) => store.readKeys());
  const found = search === null ? all : all.filter((key) => matches(key, search));
  if (isJson) {
    console.log(JSON.stringify(found.map((key) => printJson(key, now))));
    return;
  }
  if (found.length === 0) {
    console.error(
      all.length === 0 ? 'There are no keys: everybody on this machine is served.' : 'None is like that.',
    );
    return;
  }
  console.log(
    printTable([
      ['key', 'name', 'state', 'may', 'points/min', 'created', 'expires', 'last used'],
      ...found.map((key) => [
        `${key.prefix}…`,
        key.name,
        stateOf(key, now),
        [...key.scopes, ...key.origins].join(' '),
        String(key.pointsPerMinute),
        printDay(key.createdAt, ''),
        printDay(key.expiresAt, 'never'),
        printDay(key.lastUsedAt, 'never'),
      ]),
    ]),
  );
};

const find = (keys: readonly KeptKey[], which: string): KeptKey => {
  const hash = isKeyText(which) ? hashKeyText(which) : null;
  // An empty text begins every key: where there is one, an unset variable in a script would end it.
  const begins = ({ prefix }: ApiKey): boolean => which !== '' && prefix.startsWith(which);
  const found = keys.filter((key) => key.hash === hash || key.id === which || begins(key));
  const [first, ...others] = found;
  // What may be a whole key is not repeated.
  if (first === undefined) throw new KeysFailed('there is no such key (rcpt keys list shows them)');
  if (others.length > 0)
    throw new KeysFailed(
      `${found.length} keys begin like that: ${found.map(({ prefix }) => prefix).join(', ')}`,
    );
  return first;
};

/** @param which its id, the beginning of its text, or all of it */
export const revokeKey = async (which: string, config: Config, { isJson }: Print): Promise<void> => {
  const now = new Date();
  const revoked = await inStore(config, async (store) => {
    const { id } = find(await store.readKeys(), which);
    await store.revokeKey(id, now);
    return find(await store.readKeys(), id);
  });
  if (isJson) console.log(JSON.stringify(printJson(revoked, now)));
  else
    console.log(
      `${revoked.prefix}… (${revoked.name}) is revoked; gateways that run refuse it within a second.`,
    );
};
