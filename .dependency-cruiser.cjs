/**
 * The import table of the house (see README, "The rooms"). A room may import the rooms named beside it, by their
 * door (`index.ts`), and itself. Whatever is not named is forbidden.
 */
const may = {
  address: [],
  catalog: ['address'],
  dns: ['address', 'catalog'],
  smtp: ['address', 'catalog', 'dns'],
  verdict: ['address', 'catalog', 'dns', 'smtp'],
  verify: ['address', 'catalog', 'dns', 'smtp', 'verdict'],
  jobs: ['address', 'catalog', 'dns', 'smtp', 'verdict', 'verify'],
  keys: [],
  store: ['address', 'catalog', 'dns', 'smtp', 'verdict', 'verify', 'jobs', 'keys'],
  graphql: ['address', 'catalog', 'dns', 'smtp', 'verdict', 'verify', 'jobs', 'keys'],
  server: ['address', 'catalog', 'dns', 'smtp', 'verdict', 'verify', 'jobs', 'keys', 'graphql'],
  contract: ['graphql'],
  sandbox: ['address', 'catalog'],
};
const pure = '^src/(address|catalog|verdict|smtp/protocol|smtp/meaning)/';
const tests = '\\.test\\.ts$';

const rooms = Object.entries(may).flatMap(([room, neighbours]) => [
  {
    name: `${room}-imports-only-its-neighbours`,
    severity: 'error',
    from: { path: `^src/${room}/`, pathNot: tests },
    to: {
      path: '^src/',
      pathNot: [
        `^src/${room}/`,
        '^src/duration\\.ts$',
        // The store's thread needs how lists are cut and nothing else of jobs: by their door it would load all of them.
        ...(room === 'store' ? ['^src/jobs/chunks\\.ts$'] : []),
        ...neighbours.map((n) => `^src/${n}/index\\.ts$`),
      ],
    },
  },
]);

module.exports = {
  forbidden: [
    ...rooms,
    {
      name: 'pure-rooms-do-no-io',
      comment: 'Bytes in, events out: no sockets, files, timers or clock in the pure rooms.',
      severity: 'error',
      from: { path: pure, pathNot: tests },
      to: { dependencyTypes: ['core'] },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'sources-do-not-import-tests',
      severity: 'error',
      from: { path: '^src/', pathNot: tests },
      to: { path: ['^test/', '^bench/', tests] },
    },
    {
      name: 'examples-are-clients',
      comment: 'What a client needs is the schema and its own packages.',
      severity: 'error',
      from: { path: '^examples/' },
      to: { path: ['^src/', '^test/', '^bench/'] },
    },
    {
      name: 'declared-dependencies-only',
      severity: 'error',
      from: { path: '^src/', pathNot: tests },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    // gateway.mjs is another package, with another graphql.
    exclude: { path: '^(dist|data)/|^test/federation/gateway\\.mjs$' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
