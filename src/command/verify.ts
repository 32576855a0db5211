/** `rcpt verify <address>`: one address, its verdict and the conversation behind it; the exit code tells the status. */
import { parseAddress } from '../address/index.ts';
import type { Config } from '../config.ts';
import { openSqliteStore } from '../store/index.ts';
import { openEngine } from './engine.ts';
import { exitCodes, printReceipt } from './receipt.ts';

export const runVerify = async (
  text: string,
  config: Config,
  options: { readonly isJson: boolean; readonly isSimulated: boolean; readonly signal: AbortSignal },
): Promise<number> => {
  // Nothing is remembered from one command to the next: the store is SQLite's private temporary one.
  const store = openSqliteStore({ path: '' });
  const engine = openEngine(config, store.verifications, (error) => console.error(error));
  try {
    const verification = await engine.verifier.verify(parseAddress(text), {
      priority: 'interactive',
      signal: options.signal,
    });
    process.stdout.write(
      options.isJson
        ? `${JSON.stringify({ address: text.slice(0, 254), isSimulated: options.isSimulated, ...verification }, null, 2)}\n`
        : printReceipt(text, verification, {
            isColoured: process.stdout.isTTY && process.stdout.hasColors(),
            isSimulated: options.isSimulated,
          }),
    );
    return exitCodes[verification.status];
  } finally {
    await engine.close();
    store.close();
  }
};
