/** The contracts of every store, held by the one on a real PostgreSQL. */
import { afterAll, beforeAll, describe } from 'vitest';
import { openForSuites, openMemoryForSuite, openUploadsForSuite } from '../postgres/open.ts';
import { type PostgresServer, startPostgres, whyNoPostgres } from '../postgres/server.ts';
import { describeDurableJobStore, describeJobStore } from './contract.ts';
import { describeUploadStore } from './uploads-contract.ts';
import { describeVerificationMemory } from './verification-contract.ts';
import { describeWebhookStore } from './webhook-contract.ts';

describe.skipIf(whyNoPostgres !== null)('PostgreSQL', () => {
  let server: PostgresServer;
  let smallDisk: string | null = null;
  beforeAll(async () => {
    server = await startPostgres();
    smallDisk = await server.mountSmallDisk(32);
  }, 60_000);
  afterAll(() => server?.stop());

  const open = () => openForSuites(server, smallDisk);
  describeJobStore('a database', open);
  describeDurableJobStore('a database', open);
  describeWebhookStore('webhooks in a database', open);
  describeUploadStore('an upload to a database', () => openUploadsForSuite(server));
  describeVerificationMemory('the memory of verifications in a database', () => openMemoryForSuite(server));
});
