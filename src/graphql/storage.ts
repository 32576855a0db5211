import type { Storage } from '../jobs/index.ts';
import { grantedTo } from './access.ts';
import { builder } from './builder.ts';
import { GatewayType } from './gateway.ts';

const StorageType = builder.objectRef<Storage>('Storage').implement({
  description: 'What the gateway takes on its disk.',
  fields: (t) => ({
    databaseBytes: t.field({
      type: 'ByteCount',
      description: 'Octets of the database: tables, indexes, log.',
      resolve: ({ databaseBytes }) => databaseBytes,
    }),
    uploadBytes: t.field({
      type: 'ByteCount',
      description: 'Octets of uploads that no job was made of yet.',
      resolve: ({ uploadBytes }) => uploadBytes,
    }),
    freeBytes: t.field({
      type: 'ByteCount',
      nullable: true,
      description: 'Octets left on the disk; null when that cannot be told.',
      resolve: ({ freeBytes }) => freeBytes,
    }),
  }),
});

builder.objectField(GatewayType, 'storage', (t) =>
  t.field({
    type: StorageType,
    extensions: grantedTo('admin'),
    description: 'What it takes on its disk. For admins.',
    resolve: (_gateway, _args, { services }) => services.jobs.storage(),
  }),
);
