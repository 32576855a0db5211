/** What a back office does with the gateway: documents, variables and results are typed. */
import type { TadaDocumentNode } from 'gql.tada';
import { print } from 'graphql';
import { ask } from '../fetch.ts';
import { StartBulkJob, VerifyEmails } from './documents.ts';

/** @throws what is wrong with the request */
const run = async <Data, Variables extends Readonly<Record<string, unknown>>>(
  url: string,
  document: TadaDocumentNode<Data, Variables>,
  variables: Variables,
): Promise<Data> => {
  const { data, errors } = await ask<Data>(url, print(document), variables);
  if (!data) throw new Error(errors?.map(({ message }) => message).join(' '));
  return data;
};

export type Advice = 'accept' | 'ask again' | 'refuse';

/** What a form should do with each address. */
export const adviseOn = async (url: string, addresses: readonly string[]): Promise<readonly Advice[]> => {
  const { emails } = await run(url, VerifyEmails, { addresses: [...addresses] });
  return emails.map(({ verification }) => {
    switch (verification?.status) {
      case 'DELIVERABLE':
      case 'RISKY':
        return 'accept';
      case 'UNDELIVERABLE':
        return 'refuse';
      // UNKNOWN, and what may be added later: it is not the address's fault.
      default:
        return 'ask again';
    }
  });
};

export type Started =
  | { readonly kind: 'started'; readonly id: string; readonly total: number }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

/** Errors of mutations are data: a union that TypeScript tells apart. */
export const startJob = async (url: string, addresses: readonly string[]): Promise<Started> => {
  const { startBulkJob: result } = await run(url, StartBulkJob, {
    input: { source: { addresses: [...addresses] } },
  });
  return result.__typename === 'BulkJob'
    ? { kind: 'started', id: result.id, total: result.progress.total }
    : { kind: 'failed', code: result.code, message: result.message };
};
