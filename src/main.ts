#!/usr/bin/env -S node --max-old-space-size=384 --max-semi-space-size=8
/**
 * The command line, and the only place where the parts are joined. Exit codes: `verify` tells the status (0
 * deliverable, 1 undeliverable, 2 risky, 3 unknown); 64 is a wrong call, 74 trouble with files, 78 a bad setting
 * (sysexits.h); 130 an interrupt.
 *
 * The heap has 384 MB, here and in package.json: with the room of a whole machine V8 collects so late that a list of a
 * million rows takes 500 MB. Five thousand sessions at once take 100 MB of it. Semi-spaces of 8 MB instead of 16 take 40 MB
 * less and cost such a list a twentieth of its pace.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import type { KeyFlags } from './command/keys.ts';
import { type Config, ConfigError, readConfig, sandboxDir } from './config.ts';
import type { ResultFormat } from './jobs/index.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Commands are loaded when they are run: `verify` needs neither GraphQL nor HTTP. */
const program = new Command('rcpt')
  .description('Tells whether an email address can receive mail, without sending any, and shows the receipt.')
  .version(version)
  .exitOverride()
  .showHelpAfterError('(rcpt --help tells more)');

program
  .command('serve')
  .description('start the GraphQL gateway and its worker')
  .option('--persisted-only', 'run only the documents of RCPT_PERSISTED_OPERATIONS')
  .action(async (flags: { persistedOnly?: true }) => {
    const { startGateway, untilEnd } = await import('./command/serve.ts');
    const env = flags.persistedOnly ? { ...process.env, RCPT_PERSISTED_ONLY: '1' } : process.env;
    const gateway = await startGateway(readConfig(env), { isSandbox: false, version });
    console.log(`rcpt ${version} answers at ${gateway.url}`);
    await untilEnd(gateway);
  });

program
  .command('worker')
  .description('work on the jobs of a cluster (DATABASE_URL), and serve nothing but health')
  .action(async () => {
    const { startWorker } = await import('./command/worker.ts');
    const { untilEnd } = await import('./command/serve.ts');
    const worker = await startWorker(readConfig(process.env));
    console.log(`rcpt ${version} works; its health is at ${worker.url}`);
    await untilEnd(worker);
  });

program
  .command('sandbox')
  .description('serve against a mail internet in a box: nothing leaves this machine')
  .action(async () => {
    const { openSandbox } = await import('./command/sandbox.ts');
    const { startGateway, untilEnd } = await import('./command/serve.ts');
    const world = await openSandbox(process.env);
    const { prepareExamples } = await import('./command/examples.ts');
    const gateway = await startGateway(world.config, { isSandbox: true, version, prepareExamples });
    console.log(world.printWelcome(gateway.url));
    await untilEnd(gateway);
    await world.close();
  });

program
  .command('verify')
  .description('verify one address; the exit code tells the status')
  .argument('<address>')
  .option('--json', 'print the verification as JSON')
  .option('--sandbox', 'ask the mail internet in a box')
  .action(async (address: string, options: { json?: true; sandbox?: true }) => {
    const { runVerify } = await import('./command/verify.ts');
    await inWorld(options.sandbox, async (config) => {
      process.exitCode = await runVerify(address, config, {
        isJson: options.json ?? false,
        isSimulated: options.sandbox ?? false,
        signal: untilInterrupt(),
      });
    });
  });

program
  .command('bulk')
  .description('verify a list read from a file, or follow a job of a running gateway')
  .argument('[file]', 'CSV, TSV, NDJSON or one address a line; gzipped or not')
  .option(
    '-o, --output <file>',
    "where the results go: the list's own columns and ours (default: standard output)",
  )
  .addOption(
    new Option(
      '--format <format>',
      'how they are written (default: as the name of the output says, else csv)',
    ).choices(['csv', 'ndjson', 'xlsx']),
  )
  .option('--column <name>', 'the column that holds the addresses (default: found by its name or content)')
  .addOption(
    new Option(
      '--attach <id>',
      'show the progress of a job in a running gateway; with -o, download its results',
    ).conflicts(['column', 'sandbox']),
  )
  .option('--url <url>', "GraphQL endpoint of the gateway to attach to (default: this machine's)")
  .option('--sandbox', 'ask the mail internet in a box')
  .action(async (file: string | undefined, options: BulkFlags) => {
    const { formatOf, runBulk } = await import('./command/bulk.ts');
    const output = options.output ?? null;
    const format = (options.format?.toUpperCase() as ResultFormat | undefined) ?? formatOf(output);
    const signal = untilInterrupt();
    if (options.attach !== undefined) {
      if (file !== undefined) throw new WrongCall('a file and --attach exclude each other');
      const { runAttach } = await import('./command/attach.ts');
      const config = readConfig(process.env);
      const url = options.url ?? endpointOf(config);
      await runAttach(options.attach, { url, apiKey: config.apiKey, output, format, signal });
      return;
    }
    if (file === undefined) throw new WrongCall("name the list's file, or a job with --attach <id>");
    await inWorld(options.sandbox, (config) =>
      runBulk(file, config, { output, format, column: options.column ?? null, signal }),
    );
  });

type BulkFlags = {
  output?: string;
  format?: string;
  column?: string;
  attach?: string;
  url?: string;
  sandbox?: true;
};

const keys = program.command('keys').description('make, list and revoke the API keys of a gateway');
const json = ['--json', 'print JSON'] as const;
const sandboxed = ['--sandbox', 'of the sandbox'] as const;

keys
  .command('create')
  .description('make a key, and show it this once')
  .requiredOption('--name <name>', 'what it is for')
  .requiredOption('--scope <scopes>', 'comma list of verify, bulk and admin')
  .option('--origin <origins...>', 'publishable: for pages of these origins alone, and for verify alone')
  .option('--per-minute <points>', 'points of cost a minute; of a publishable key, for each client')
  .option('--expires <duration>', 'after which it is good no more, such as 90d (default: never)')
  .option('--persisted-only', 'publishable: run only the documents of RCPT_PERSISTED_OPERATIONS')
  .option(...json)
  .option(...sandboxed)
  .action(async (flags: KeyFlags) => {
    const { createKey, readWish } = await import('./command/keys.ts');
    await createKey(readWish(flags, new Date()), keysConfig(flags), { isJson: flags.json ?? false });
  });

keys
  .command('list')
  .description('show the keys there are')
  .argument('[search]', 'beginning of a key, or a part of its name')
  .option(...json)
  .option(...sandboxed)
  .action(async (search: string | undefined, flags: KeyFlags) => {
    const { listKeys } = await import('./command/keys.ts');
    await listKeys(search ?? null, keysConfig(flags), { isJson: flags.json ?? false });
  });

keys
  .command('revoke')
  .description('end a key: requests and streams of it are refused within a second')
  .argument('<key>', 'its id, its beginning, or all of it')
  .option(...json)
  .option(...sandboxed)
  .action(async (which: string, flags: KeyFlags) => {
    const { revokeKey } = await import('./command/keys.ts');
    await revokeKey(which, keysConfig(flags), { isJson: flags.json ?? false });
  });

/** The sandbox keeps what it has in a folder of its own, and in no database. */
const keysConfig = ({ sandbox }: KeyFlags): Config => {
  const config = readConfig(process.env);
  return sandbox ? { ...config, dataDir: sandboxDir(config.dataDir), database: null } : config;
};

program
  .command('warm', { hidden: true })
  .description('load what serve loads, for the compile cache of the next start')
  .action(async () => {
    await import('./command/warm.ts');
  });

program
  .command('schema')
  .description('write schema/schema.graphql, or check that it is true')
  .option('--check', 'change nothing, fail when it drifted')
  .action(async (options: { check?: true }) => {
    const { runSchema } = await import('./command/schema.ts');
    process.exitCode = await runSchema({ isCheck: options.check ?? false });
  });

const inWorld = async (
  isSandbox: true | undefined,
  run: (config: ReturnType<typeof readConfig>) => Promise<void>,
): Promise<void> => {
  if (!isSandbox) return run(readConfig(process.env));
  const { openSandbox } = await import('./command/sandbox.ts');
  const world = await openSandbox(process.env);
  try {
    await run(world.config);
  } finally {
    await world.close();
  }
};

/** Where a gateway with these settings answers, as this machine reaches it. */
const endpointOf = ({ host, port }: Config): string => {
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}/graphql`;
};

/** Aborts at the first interrupt; the second one ends the process at once. */
const untilInterrupt = (): AbortSignal => {
  const controller = new AbortController();
  process.once('SIGINT', () => {
    controller.abort(new Interrupted());
    process.once('SIGINT', () => process.exit(130));
  });
  return controller.signal;
};

/** The command line itself is wrong, in a way that commander does not check. */
class WrongCall extends Error {}

class Interrupted extends Error {
  override readonly message = 'interrupted';
}

/** One clear line for what the caller can mend; a stack only for a bug of ours. */
const explain = (error: unknown): number => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 64;
  if (error instanceof Interrupted) return 130;
  if (error instanceof WrongCall) {
    console.error(`rcpt: ${error.message} (rcpt bulk --help tells more)`);
    return 64;
  }
  if (error instanceof Error && error.name === 'KeyWishError') {
    console.error(`rcpt: ${error.message} (rcpt keys create --help tells more)`);
    return 64;
  }
  if (error instanceof ConfigError) {
    console.error(`rcpt: ${error.message}`);
    return 78;
  }
  if (error instanceof Error && 'code' in error) {
    console.error(`rcpt: ${error.message}`);
    return 74;
  }
  console.error(error);
  return 70;
};

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = explain(error);
}
