/** What an idempotency key stands for: one hash over all that a job is started with. */
import { createHash } from 'node:crypto';
import type { StartJob } from './door.ts';

export const hashText = (text: string): string => createHash('sha256').update(text).digest('hex');

export const hashContent = async (content: AsyncIterable<Uint8Array>): Promise<string> => {
  const hash = createHash('sha256');
  for await (const octets of content) hash.update(octets);
  return hash.digest('hex');
};

/** One address a line, as JSON, so that no address can look like two. */
export const hashAddresses = (addresses: readonly string[]): string => {
  const hash = createHash('sha256');
  for (const address of addresses) hash.update(`${JSON.stringify(address)}\n`);
  return hash.digest('hex');
};

/** `listHash` stands for the list; the webhook's secret goes in as a hash of its own, as everything that is compared does. */
export const hashInput = (
  { source, name, column, maxAgeSeconds, retentionSeconds, webhook }: StartJob,
  listHash: string,
): string =>
  hashText(
    JSON.stringify({
      list: [source.kind === 'addresses' ? 'addresses' : 'content', listHash],
      name,
      column,
      maxAgeSeconds,
      retentionSeconds,
      webhook: webhook && { ...webhook, secret: hashText(webhook.secret) },
    }),
  );
