/** `rcpt schema`: the printed, sorted SDL is the public contract; this writes it or says that it drifted. */
import { readFile, writeFile } from 'node:fs/promises';
import { printSchemaText } from '../graphql/index.ts';

const file = new URL('../../schema/schema.graphql', import.meta.url);

export const runSchema = async ({ isCheck }: { readonly isCheck: boolean }): Promise<number> => {
  const text = printSchemaText();
  if (!isCheck) {
    await writeFile(file, text);
    return 0;
  }
  if ((await readFile(file, 'utf8')) === text) return 0;
  console.error('schema/schema.graphql is not what the code says: run `npm run schema` and commit it');
  return 1;
};
