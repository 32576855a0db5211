/**
 * The settings (`config-settings.ts`), read and checked at start: an unknown `RCPT_…` name or a bad value stops the start
 * with one line that names it, since a misspelt limit that is silently ignored harms somebody else's mail server.
 */
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Config, type Setting, settings } from './config-settings.ts';
import { ConfigError } from './config-values.ts';

export type { Config } from './config-settings.ts';
export { type ApiKeySetting, ConfigError } from './config-values.ts';

/**
 * Reads every setting from the environment.
 * @throws ConfigError with one line that names the setting and what was expected
 */
export const readConfig = (env: Readonly<Record<string, string | undefined>>): Config => {
  const known = new Set<string>(Object.values(settings).map(({ name }) => name));
  for (const name of Object.keys(env)) {
    if (name.startsWith('RCPT_') && !known.has(name))
      throw new ConfigError(`${name} is not a setting of rcpt (see the README's table)`);
  }
  const read = <Value>({ name, parse, fallback }: Setting<Value>): Value => {
    try {
      return parse(env[name] ?? fallback());
    } catch (error) {
      throw error instanceof ConfigError ? new ConfigError(`${name}: ${error.message}`) : error;
    }
  };
  const given = Object.fromEntries(
    Object.entries(settings).map(([key, row]) => [key, read(row as Setting<unknown>)]),
  ) as Config;
  const config = { ...given, source: given.source || nameSource(given) };
  if (config.proxy && config.sourceIps.length > 0)
    throw new ConfigError(
      'RCPT_SOURCE_IPS: behind RCPT_PROXY exchanges only see the proxy: unset one of them',
    );
  if (config.isPersistedOnly && config.persistedOperations === null)
    throw new ConfigError(
      'RCPT_PERSISTED_ONLY: without RCPT_PERSISTED_OPERATIONS no document could be asked at all',
    );
  return config;
};

/**
 * Known only when the keys are: without any, whoever reaches the port may probe.
 * @throws ConfigError
 */
export const refuseOpenHost = (
  { host, isInsecureAllowed }: Pick<Config, 'host' | 'isInsecureAllowed'>,
  hasKeys: boolean,
): void => {
  if (!isLoopback(host) && !isInsecureAllowed && !hasKeys)
    throw new ConfigError(
      `RCPT_HOST: ${host} is not loopback and there are no API keys: anybody could probe through you (rcpt keys create makes one, RCPT_INSECURE=1 allows it)`,
    );
};

/** Two machines that say nothing are two sources, unless they leave by one proxy. */
const nameSource = ({ sourceIps, proxy }: Config): string =>
  sourceIps.length > 0 ? [...sourceIps].sort().join(',') : (proxy?.host ?? hostname());

/** Of the sandbox: simulated verdicts never mix with real ones. */
export const sandboxDir = (dataDir: string): string => join(dataDir, 'sandbox');

/** Does the host only reach this machine? */
const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
