/**
 * Writes `introspection.d.ts`, from which gql.tada infers the types of documents: `npm run schema`. gql.tada's own
 * command does the same where TypeScript 5 or 6 is installed.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { minifyIntrospection, outputIntrospectionFile } from 'gql.tada/internal';
import { buildSchema, introspectionFromSchema } from 'graphql';

const sdl = new URL('../../schema/schema.graphql', import.meta.url);
const target = new URL('introspection.d.ts', import.meta.url);

export const printIntrospection = async (): Promise<string> => {
  const introspection = introspectionFromSchema(buildSchema(await readFile(sdl, 'utf8')));
  return outputIntrospectionFile(minifyIntrospection(introspection), {
    fileType: '.d.ts',
    shouldPreprocess: true,
  });
};

if (import.meta.main) await writeFile(target, await printIntrospection());
