/**
 * Every setting once: name, kind of value, default and what it is for. README's table is printed from `settings` (a test
 * holds it to that).
 */
import {
  type ApiKeySetting,
  apiKey,
  cidr,
  type DatabaseSetting,
  database,
  dnsServer,
  duration,
  expected,
  flag,
  heloName,
  integer,
  list,
  mailFrom,
  oneOf,
  ownName,
  type ProxySetting,
  proxy,
  shortDuration,
  sourceIp,
  sourceName,
  webOrigin,
} from './config-values.ts';

export type Config = {
  readonly host: string;
  readonly port: number;
  readonly isInsecureAllowed: boolean;
  readonly dataDir: string;
  /** PostgreSQL; null: SQLite in `dataDir`. */
  readonly database: DatabaseSetting | null;
  readonly databaseConnections: number;
  /** Chunks this process works on at once; 0: it leaves the work to others. */
  readonly workerChunks: number;
  /** Rows of a chunk that are verified at once. */
  readonly workerRows: number;
  /** `ip` or `ip:port`; empty: the system's. */
  readonly dnsServers: readonly string[];
  readonly smtpPort: number;
  readonly heloName: string;
  /** Without angle brackets; empty for the null reverse path. */
  readonly mailFrom: string;
  /** CIDRs. */
  readonly allowHosts: readonly string[];
  readonly maxSessions: number;
  readonly maxSessionsPerExchange: number;
  readonly maxProbesPerSecondPerExchange: number;
  readonly timeoutMs: number;
  readonly greylistRetrySeconds: readonly number[];
  /** Different unknown mailboxes of one domain that a key is told of in an hour; 0: however many. */
  readonly harvestLimit: number;
  /** Addresses of this machine; empty: the system chooses. */
  readonly sourceIps: readonly string[];
  readonly proxy: ProxySetting | null;
  /** Name of the address that exchanges see of this process. */
  readonly source: string;
  /** Whose sessions and probes to one set of exchanges are counted together. */
  readonly limitScope: 'source' | 'cluster';
  readonly retentionSeconds: number;
  /** How long a gateway that ends says so and serves on. */
  readonly shutdownDelaySeconds: number;
  /** Octets of one uploaded file, packed or unpacked. */
  readonly maxUploadBytes: number;
  /** Rows of one job. */
  readonly maxRows: number;
  /** Is the schema a subgraph of Apollo Federation 2 too? */
  readonly isFederated: boolean;
  /** Origins whose pages may use the gateway, as browsers write them. */
  readonly corsOrigins: readonly string[];
  /** CIDRs of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  /** What `rcpt bulk --attach` shows the gateway, behind a function; null: nothing. */
  readonly apiKey: ApiKeySetting | null;
  /** File or folder of documents; null: there are none. */
  readonly persistedOperations: string | null;
  readonly isPersistedOnly: boolean;
  readonly isGraphiqlOn: boolean;
  readonly isIntrospectionOn: boolean;
};

export type Setting<Value> = {
  readonly name: string;
  /** What the README's table shows; the value when nothing is set is `parse(fallback())`. */
  readonly defaultText: string;
  readonly fallback: () => string;
  readonly about: string;
  /** Throws a sentence that says what was expected. */
  readonly parse: (text: string) => Value;
};

const setting = <Value>(
  name: string,
  defaultText: string,
  about: string,
  parse: (text: string) => Value,
  fallback: () => string = () => defaultText,
): Setting<Value> => ({ name, defaultText, fallback, about, parse });

export const settings = {
  host: setting(
    'RCPT_HOST',
    '127.0.0.1',
    'Where HTTP listens. A host that is not loopback is refused unless there are API keys (`rcpt keys create`) or `RCPT_INSECURE=1`.',
    (text) => text || expected('a host'),
  ),
  port: setting('RCPT_PORT', '4000', 'Port of HTTP; `0` lets the system choose.', integer(0, 65_535)),
  isInsecureAllowed: setting(
    'RCPT_INSECURE',
    '0',
    '`1` lets a host that is not loopback serve everybody while there is no API key.',
    flag,
  ),
  dataDir: setting(
    'RCPT_DATA_DIR',
    './data',
    'Folder of the SQLite file; locked against a second process.',
    (text) => text || expected('a folder'),
  ),
  database: setting(
    'DATABASE_URL',
    '',
    'PostgreSQL, `postgres://user:password@host:port/database`: then store and queue live there, and any number of processes join. Empty: SQLite.',
    database,
  ),
  databaseConnections: setting(
    'RCPT_DATABASE_CONNECTIONS',
    '10',
    'Connections of one process to PostgreSQL, but for the one that listens.',
    integer(2, 1_000),
  ),
  workerChunks: setting(
    'RCPT_WORKER_CHUNKS',
    '4',
    'Chunks (up to 500 rows each) that a process works on at once; `0`: a gateway that leaves the work to others.',
    integer(0, 100),
  ),
  workerRows: setting(
    'RCPT_WORKER_ROWS',
    '128',
    'Rows of a chunk that are verified at once.',
    integer(1, 500),
  ),
  dnsServers: setting(
    'RCPT_DNS_SERVERS',
    '',
    "Comma list of resolvers, `ip` or `ip:port`; empty: the system's.",
    list(dnsServer),
  ),
  smtpPort: setting('RCPT_SMTP_PORT', '25', 'Port that exchanges are asked on.', integer(1, 65_535)),
  heloName: setting(
    'RCPT_HELO_NAME',
    "the host's FQDN",
    'EHLO argument; yours, with matching PTR, never `localhost`. Without an FQDN: the address literal.',
    heloName,
    ownName,
  ),
  mailFrom: setting('RCPT_MAIL_FROM', '<>', 'Reverse path of the probe.', mailFrom),
  allowHosts: setting(
    'RCPT_ALLOW_HOSTS',
    '',
    'Comma list of CIDRs exempt from the guard against special-purpose addresses (a lab, a private relay).',
    list(cidr),
  ),
  maxSessions: setting(
    'RCPT_MAX_SESSIONS',
    '200',
    'SMTP sessions open at once, all exchanges together.',
    integer(1, 100_000),
  ),
  maxSessionsPerExchange: setting(
    'RCPT_MAX_SESSIONS_PER_EXCHANGE',
    '4',
    'SMTP sessions open at once to one set of exchanges.',
    integer(1, 1_000),
  ),
  maxProbesPerSecondPerExchange: setting(
    'RCPT_MAX_PROBES_PER_SECOND_PER_EXCHANGE',
    '20',
    'Token bucket of one set of exchanges; `0` is no limit.',
    integer(0, 1_000_000),
  ),
  timeoutMs: setting(
    'RCPT_TIMEOUT_MS',
    '15000',
    'Budget of one interactive verification, in milliseconds.',
    integer(100, 600_000),
  ),
  greylistRetrySeconds: setting(
    'RCPT_GREYLIST_RETRY',
    '5m,15m,60m',
    'When a greylisted address is asked again.',
    list(duration),
  ),
  harvestLimit: setting(
    'RCPT_HARVEST_LIMIT',
    '50',
    'Unknown mailboxes of one domain that an API key is told of in an hour; then the domain is `HARVEST_LIMITED` for it. Each client of a publishable key has so many, all of them twenty times. Lists: ten times as many, and more unknown than known. `0` is no limit.',
    integer(0, 10_000),
  ),
  sourceIps: setting(
    'RCPT_SOURCE_IPS',
    '',
    "Comma list of this machine's addresses to probe from; one set of exchanges always sees the same one.",
    (text) => [...new Set(list(sourceIp)(text))],
  ),
  proxy: setting(
    'RCPT_PROXY',
    '',
    'SOCKS5 proxy to probe through, `socks5://user:password@host:port`; not together with `RCPT_SOURCE_IPS`.',
    proxy,
  ),
  source: setting(
    'RCPT_SOURCE',
    'the source IPs, else the proxy, else the host name',
    'Name of the address that exchanges see: processes behind one address give the same, and are counted as one.',
    sourceName,
    () => '',
  ),
  limitScope: setting(
    'RCPT_LIMIT_SCOPE',
    'source',
    'Who shares the limits of one set of exchanges: the processes of one `source`, as servers count, or of the `cluster`.',
    oneOf('source', 'cluster'),
  ),
  retentionSeconds: setting(
    'RCPT_RETENTION',
    '30d',
    'After which a job, its addresses and results are erased.',
    duration,
  ),
  shutdownDelaySeconds: setting(
    'RCPT_SHUTDOWN_DELAY',
    '0s',
    'How long a gateway that is told to end answers 503 on `/health/ready` and serves on, so that a load balancer has time to leave it.',
    shortDuration,
  ),
  maxUploadBytes: setting(
    'RCPT_MAX_UPLOAD_BYTES',
    '1073741824',
    'Octets of one uploaded list, as it is sent and, when it is gzipped, unpacked.',
    integer(1, 1_000_000_000_000),
  ),
  maxRows: setting('RCPT_MAX_ROWS', '1000000', 'Rows of one job.', integer(1, 1_000_000_000)),
  isFederated: setting(
    'RCPT_FEDERATION',
    '0',
    '`1` adds `_service` and `_entities`, for a gateway of Apollo Federation 2: [schema/README.md](schema/README.md#federation).',
    flag,
  ),
  corsOrigins: setting(
    'RCPT_CORS_ORIGINS',
    '',
    'Comma list of origins, `https://app.example`, whose pages may use the gateway from a browser; empty: only its own.',
    list(webOrigin),
  ),
  trustedProxies: setting(
    'RCPT_TRUSTED_PROXIES',
    '',
    'Comma list of CIDRs of your own proxies, whose `X-Forwarded-For` tells where a client of a publishable key is; empty: nobody is believed.',
    list(cidr),
  ),
  apiKey: setting(
    'RCPT_API_KEY',
    '',
    'Key that `rcpt bulk --attach` shows the gateway; the gateway itself does not read it.',
    apiKey,
  ),
  persistedOperations: setting(
    'RCPT_PERSISTED_OPERATIONS',
    '',
    'Documents that clients may name by their SHA-256 hash: a folder of `.graphql` files, a JSON object of hash to document, or a manifest of Apollo.',
    (text) => text || null,
  ),
  isPersistedOnly: setting(
    'RCPT_PERSISTED_ONLY',
    '0',
    '`1` (or `rcpt serve --persisted-only`) refuses every document that is not in `RCPT_PERSISTED_OPERATIONS`.',
    flag,
  ),
  isGraphiqlOn: setting('RCPT_GRAPHIQL', '1', '`0` switches the GraphiQL page off.', flag),
  isIntrospectionOn: setting(
    'RCPT_INTROSPECTION',
    '1',
    '`0` refuses `__schema` and `__type`; GraphiQL then has no documentation.',
    flag,
  ),
} satisfies { readonly [Key in keyof Config]: Setting<Config[Key]> };

/** The README's table of settings, in Markdown. */
export const printSettingsTable = (): string =>
  [
    '| name | default | meaning |',
    '|---|---|---|',
    ...Object.values(settings).map(
      ({ name, defaultText, about }) =>
        `| \`${name}\` | ${defaultText === '' ? 'empty' : defaultText.includes(' ') ? defaultText : `\`${defaultText}\``} | ${about} |`,
    ),
  ].join('\n');
