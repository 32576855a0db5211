import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import { grantedTo } from './access.ts';
import type { Context } from './context.ts';
import { sizedBy } from './field-cost.ts';
import { mostNodes, readGlobalId, writeGlobalId } from './global-id.ts';
import { refuse } from './refusal.ts';

/** What the builder must know of TypeScript: the context, the scalars and how fields are nullable. */
type SchemaTypes = {
  Context: Context;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    /** Whole seconds. */
    Duration: { Input: number; Output: number };
    URL: { Input: string; Output: string };
    ByteCount: { Input: number; Output: number };
    File: { Input: File; Output: never };
  };
};

export const builder = new SchemaBuilder<SchemaTypes>({
  plugins: [RelayPlugin, DataloaderPlugin],
  defaultFieldNullability: false,
  relay: {
    cursorType: 'String',
    encodeGlobalID: (typename, id) => writeGlobalId(typename, String(id)),
    decodeGlobalID: readGlobalId,
    idFieldOptions: {
      description: 'Global id: opaque, stable, and good for `node(id:)`.',
    },
    nodeTypeOptions: {
      description: 'Something that can be fetched again by its global id.',
    },
    nodeQueryOptions: {
      extensions: grantedTo('secret'),
      description: 'The object with this global id; null when there is none (any more).',
      args: { id: { description: 'A global id that this API gave out; anything else is BAD_ID.' } },
    },
    nodesQueryOptions: {
      extensions: { ...sizedBy('ids'), ...grantedTo('secret') },
      description: 'The objects with these global ids, in the same order; null where there is none.',
      args: { ids: { description: `Global ids that this API gave out, at most ${mostNodes}.` } },
      resolve: (_root, { ids }, _context, _info, resolveNodes) => {
        if (ids.length > mostNodes)
          throw refuse('TOO_MANY_IDS', `nodes takes at most ${mostNodes} ids, got ${ids.length}.`, {
            limit: mostNodes,
          });
        return resolveNodes(ids);
      },
    },
    pageInfoTypeOptions: { description: 'Where a page of a connection stands in the whole.' },
    hasNextPageFieldOptions: { description: 'Is there at least one more edge after this page?' },
    hasPreviousPageFieldOptions: { description: 'Did the page start after a cursor?' },
    startCursorFieldOptions: { description: 'Cursor of the first edge; null on an empty page.' },
    endCursorFieldOptions: { description: 'Cursor of the last edge, for `after`; null on an empty page.' },
  },
});

builder.queryType({ description: 'What can be asked. Nothing that is not selected is looked up.' });
builder.mutationType({
  description: 'What can be changed. Each field answers with the object or a typed error.',
});
builder.subscriptionType({ description: 'What can be watched, by SSE or graphql-ws.' });

/** Every enum may grow within a version of the API; its description says so. */
export const openEnum = (text: string): string =>
  `${text}\n\nNew values may be added: clients must tolerate values that they do not know.`;
