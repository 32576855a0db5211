import type { Upload, UploadState } from '../jobs/index.ts';
import { grantedTo } from './access.ts';
import { builder, openEnum } from './builder.ts';
import { readGlobalIdOf } from './global-id.ts';

const UploadStateType = builder.enumType('UploadState', {
  description: openEnum('Where an upload stands.'),
  values: {
    OPEN: { description: 'Octets are missing.' },
    COMPLETE: { description: 'A job can be made of it.' },
    USED: { description: 'A job was made of it, and its octets are erased.' },
  } satisfies Record<UploadState, { description: string }>,
});

export const UploadType = builder.loadableNode(builder.objectRef<Upload>('Upload'), {
  name: 'Upload',
  description:
    'A file on its way to become a job. Send it by PUT to `url`; what broke off goes on at `receivedBytes`, with `Content-Range`.',
  id: { resolve: ({ id }) => id },
  load: (ids: string[], { services }) =>
    Promise.all(ids.map((id) => services.uploads.read(id))) as Promise<readonly Upload[]>,
  fields: (t) => ({
    url: t.field({
      type: 'URL',
      description:
        'Where the octets go, by PUT: whole, or from where they broke off with `Content-Range: bytes 500-999/1000` (`*` for a total that is not known). Answers 201 when it is complete, 308 with `Range: bytes=0-499` when more is expected. `Content-Range: bytes */1000` without a body asks how far it is. Needs no credentials: treat it as a secret.',
      resolve: (upload, _args, { printUploadUrl }) => printUploadUrl(upload),
    }),
    fileName: t.exposeString('fileName', { nullable: true, description: 'As given, without any path.' }),
    state: t.field({ type: UploadStateType, description: 'Where it stands.', resolve: ({ state }) => state }),
    sizeBytes: t.field({
      type: 'ByteCount',
      nullable: true,
      description: 'Octets in all; null while that was not said.',
      resolve: ({ sizeBytes }) => sizeBytes,
    }),
    receivedBytes: t.field({
      type: 'ByteCount',
      description: 'Octets that have arrived and are kept: where to go on.',
      resolve: ({ receivedBytes }) => receivedBytes,
    }),
    createdAt: t.field({
      type: 'DateTime',
      description: 'When it was made.',
      resolve: ({ createdAt }) => createdAt,
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'When it is erased, used or not; `url` works until then.',
      resolve: ({ expiresAt }) => expiresAt,
    }),
  }),
});

builder.queryField('upload', (t) =>
  t.field({
    type: UploadType,
    nullable: true,
    extensions: grantedTo('bulk'),
    description: 'One upload, to see how far it is; null when there is none (any more).',
    args: { id: t.arg.id({ required: true, description: 'Global id of an Upload.' }) },
    resolve: (_root, { id }) => readGlobalIdOf('Upload', id),
  }),
);
