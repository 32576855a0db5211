/** What the tests of intake share. */
import { IntakeFault } from '../../src/jobs/intake/fault.ts';
import { type AddressListOptions, type ListedAddress, readAddressList } from '../../src/jobs/intake/list.ts';

/** The bytes in pieces of `size`, so that every boundary falls somewhere unpleasant. */
export async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export const read = async (bytes: Uint8Array, options: AddressListOptions = {}, size = 65_536) => {
  const list = await readAddressList(inPieces(bytes, size), options);
  const rows: ListedAddress[] = [];
  for await (const row of list.rows) rows.push(row);
  return { ...list, rows };
};

/** The fault that the work ends with, which is one sentence for whoever gave the file. */
export const faultOf = async (work: Promise<unknown>): Promise<IntakeFault> => {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof IntakeFault)) throw error ?? new Error('no fault');
  if (!/^(The|No) .*\.$/.test(error.message)) throw new Error(`no sentence: ${error.message}`);
  return error;
};
