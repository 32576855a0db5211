import { grantedTo } from './access.ts';
import { type Bill, refillMs } from './bill.ts';
import { builder } from './builder.ts';

const RateLimitType = builder.objectRef<Bill>('RateLimit').implement({
  description:
    'What the caller may spend. Points come back steadily; past them operations are refused with THROTTLED and, over HTTP, 429.',
  fields: (t) => ({
    limit: t.int({
      nullable: true,
      description: 'The most points that can be spent at once, and in a minute; null: nothing is limited.',
      resolve: ({ bucket }) => bucket?.capacity ?? null,
    }),
    remaining: t.int({
      nullable: true,
      description: 'Points that are left after this operation; null: nothing is limited.',
      resolve: ({ bucket }) => bucket && Math.floor(bucket.left),
    }),
    cost: t.int({
      description: 'Points that this operation costs at most; what was remembered is given back.',
      resolve: ({ requested }) => requested,
    }),
    resetAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When all points are back if none is spent until then; null: nothing is limited.',
      resolve: ({ bucket }) => bucket && new Date(Date.now() + refillMs(bucket)),
    }),
  }),
});

builder.queryField('rateLimit', (t) =>
  t.field({
    type: RateLimitType,
    nullable: true,
    extensions: grantedTo('anyone'),
    description: 'What this operation costs and what the caller may still spend.',
    resolve: (_root, _args, { bill }) => bill,
  }),
);
