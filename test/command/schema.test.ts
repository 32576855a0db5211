/** `rcpt schema --check` says what is wrong, in words that can be acted on. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runSchema } from '../../src/command/schema.ts';
import { printSchemaText } from '../../src/graphql/index.ts';

let folder: string;
let said: string[];
let faults: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rcpt-schema-'));
  cpSync('schema/schema.graphql', join(folder, 'schema.graphql'));
  cpSync('schema/schema.graphql', join(folder, 'released.graphql'));
  said = [];
  faults = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => said.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => faults.push(line));
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const run = (isCheck = true) => runSchema({ isCheck }, pathToFileURL(`${folder}/`));

/** What was released had one field more than there is now. */
const release = (field: string): void =>
  writeFileSync(
    join(folder, 'released.graphql'),
    printSchemaText().replace('type Domain implements Node {', `type Domain implements Node {\n  ${field}`),
  );

const name = (text: string): void => {
  mkdirSync(join(folder, 'changes'), { recursive: true });
  writeFileSync(join(folder, 'changes', 'domain.md'), text);
};

const removed = 'FIELD_REMOVED: Field Domain.old was removed.';

test('all is well', async () => {
  expect(await run()).toBe(0);
  expect(faults).toEqual([]);
  expect(said).toEqual([
    'schema: schema/schema.graphql is what the code says',
    expect.stringMatching(/^schema: (\d+) of \1 elements are described$/),
    expect.stringMatching(/^schema: \d+ rules hold/),
    expect.stringContaining('0 that break nobody'),
  ]);
});

test('a schema that drifted is named, and written anew', async () => {
  writeFileSync(join(folder, 'schema.graphql'), 'type Query { a: Int }');
  expect(await run()).toBe(1);
  expect(faults).toEqual([expect.stringContaining('run `npm run schema`')]);
  expect(await run(false)).toBe(0);
  expect(readFileSync(join(folder, 'schema.graphql'), 'utf8')).toBe(printSchemaText());
});

test('a breaking change fails in the words that a changeset needs', async () => {
  release('old: Int');
  expect(await run()).toBe(1);
  expect(faults).toEqual([
    `schema: breaks clients: "- ${removed}" is named by no file in schema/changes/*.md`,
  ]);
  name(`# The old number\n\nNobody could tell what it meant.\n\n- ${removed}\n`);
  expect(await run()).toBe(0);
  expect(said.at(-1)).toContain('1 that break and are named');
});

test('a changeset that outlived its change fails', async () => {
  name(`Nobody could tell what it meant.\n\n- ${removed}\n`);
  expect(await run()).toBe(1);
  expect(faults).toEqual([`schema: schema/changes/domain.md names a change that is none: ${removed}`]);
});

test('without the released schema nothing is compared silently', async () => {
  rmSync(join(folder, 'released.graphql'));
  await expect(run()).rejects.toThrow('released.graphql');
});
