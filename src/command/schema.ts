/**
 * `rcpt schema`: the printed, sorted SDL is the public contract. This writes it, or says what is wrong with it: that
 * it drifted from the code, breaks a rule of `contract`, or would break a client of `schema/released.graphql`.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import {
  type Changeset,
  checkRules,
  elementsOf,
  findChanges,
  isDescribed,
  readChangeset,
  rules,
} from '../contract/index.ts';
import { printSchemaText, schema } from '../graphql/index.ts';

const ownFolder = new URL('../../schema/', import.meta.url);

/** What one part of the check says: a line when all is well, and a line for each fault. */
type Finding = { readonly said: string; readonly faults: readonly string[] };

/** @param folder where `schema.graphql` and what it is compared with are; the default is that of this package */
export const runSchema = async (
  { isCheck }: { readonly isCheck: boolean },
  folder = ownFolder,
): Promise<number> => {
  const text = printSchemaText();
  if (!isCheck) {
    await writeFile(new URL('schema.graphql', folder), text);
    return 0;
  }
  const findings = [
    await checkDrift(text, folder),
    checkDescriptions(),
    checkTaste(),
    await checkChanges(text, folder),
  ];
  for (const { said, faults } of findings)
    if (faults.length === 0) console.log(`schema: ${said}`);
    else for (const fault of faults) console.error(`schema: ${fault}`);
  return findings.some(({ faults }) => faults.length > 0) ? 1 : 0;
};

const checkDrift = async (text: string, folder: URL): Promise<Finding> => ({
  said: 'schema/schema.graphql is what the code says',
  faults:
    (await readFile(new URL('schema.graphql', folder), 'utf8')) === text
      ? []
      : ['schema/schema.graphql is not what the code says: run `npm run schema` and commit it'],
});

const checkDescriptions = (): Finding => {
  const elements = elementsOf(schema);
  const described = elements.filter(isDescribed).length;
  const said = `${described} of ${elements.length} elements are described`;
  return { said, faults: described === elements.length ? [] : [said] };
};

const checkTaste = (): Finding => {
  const exceptions = rules.flatMap(({ except = {} }) => Object.keys(except)).length;
  return {
    said: `${rules.length} rules hold, but for ${exceptions} exceptions with a reason (src/contract/rules)`,
    faults: checkRules(schema, rules).map(({ path, message, rule }) => `${path} ${message} (${rule})`),
  };
};

const checkChanges = async (text: string, folder: URL): Promise<Finding> => {
  const released = await readFile(new URL('released.graphql', folder), 'utf8');
  const { unnamed, named, harmless, badChangesets } = findChanges(
    released,
    text,
    await readChangesets(new URL('changes/', folder)),
  );
  return {
    said: `changes since schema/released.graphql: ${harmless} that break nobody, ${named.length} that break and are named in schema/changes`,
    faults: [
      ...badChangesets,
      ...unnamed.map((change) => `breaks clients: "- ${change}" is named by no file in schema/changes/*.md`),
    ],
  };
};

/** No folder: nothing breaks, which is how it should be. */
const readChangesets = async (folder: URL): Promise<readonly Changeset[]> => {
  const files = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return Promise.all(
    files
      .filter((name) => name.endsWith('.md'))
      .map(async (name) =>
        readChangeset(`schema/changes/${name}`, await readFile(new URL(name, folder), 'utf8')),
      ),
  );
};
