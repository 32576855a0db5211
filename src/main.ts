#!/usr/bin/env node
/**
 * The command line, and the only place where the parts are joined. Exit codes: `verify` tells the status (0
 * deliverable, 1 undeliverable, 2 risky, 3 unknown); 64 is a wrong call, 74 trouble with files, 78 a bad setting
 * (sysexits.h); 130 an interrupt.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { ConfigError, readConfig } from './config.ts';

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
  .action(async () => {
    const { startGateway, untilSignal } = await import('./command/serve.ts');
    const gateway = await startGateway(readConfig(process.env), { isSandbox: false, version });
    console.log(`rcpt ${version} answers at ${gateway.url}`);
    await untilSignal();
    await gateway.close();
  });

program
  .command('sandbox')
  .description('serve against a mail internet in a box: nothing leaves this machine')
  .action(async () => {
    const { openSandbox } = await import('./command/sandbox.ts');
    const { startGateway, untilSignal } = await import('./command/serve.ts');
    const world = await openSandbox(process.env);
    const { prepareExamples } = await import('./command/examples.ts');
    const gateway = await startGateway(world.config, { isSandbox: true, version, prepareExamples });
    console.log(world.printWelcome(gateway.url));
    await untilSignal();
    await gateway.close();
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
  .description('verify a list read from a file: CSV, TSV or one address a line')
  .argument('<file>')
  .option(
    '-o, --output <file>',
    "where the results go: the list's own columns and ours, as CSV (default: standard output)",
  )
  .option('--column <name>', 'the column that holds the addresses (default: found by its name or content)')
  .option('--sandbox', 'ask the mail internet in a box')
  .action(async (file: string, options: { output?: string; column?: string; sandbox?: true }) => {
    const { runBulk } = await import('./command/bulk.ts');
    await inWorld(options.sandbox, async (config) => {
      await runBulk(file, config, {
        output: options.output ?? null,
        column: options.column ?? null,
        signal: untilInterrupt(),
      });
    });
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

/** Aborts at the first interrupt; the second one ends the process at once. */
const untilInterrupt = (): AbortSignal => {
  const controller = new AbortController();
  process.once('SIGINT', () => {
    controller.abort(new Interrupted());
    process.once('SIGINT', () => process.exit(130));
  });
  return controller.signal;
};

class Interrupted extends Error {
  override readonly message = 'interrupted';
}

/** One clear line for what the caller can mend; a stack only for a bug of ours. */
const explain = (error: unknown): number => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 64;
  if (error instanceof Interrupted) return 130;
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
