import type { Delivery, DeliveryAttempt, Job, WebhookEvent } from '../jobs/index.ts';
import { builder, openEnum } from './builder.ts';
import { BulkJobType } from './bulk-job.ts';
import { pagedBy } from './field-cost.ts';
import { type Edge, pageInfoOf, readCursor, readPageSize, writeCursor } from './page.ts';

const events = {
  'bulk_job.progressed': 'PROGRESSED',
  'bulk_job.completed': 'COMPLETED',
  'bulk_job.cancelled': 'CANCELLED',
} as const satisfies Record<WebhookEvent, string>;

const EventType = builder.enumType('WebhookEvent', {
  description: openEnum('What a webhook is told of.'),
  values: {
    PROGRESSED: { description: '`bulk_job.progressed`: another tenth of the rows has its result.' },
    COMPLETED: { description: '`bulk_job.completed`: every row has its result.' },
    CANCELLED: { description: '`bulk_job.cancelled`: the job was cancelled.' },
  } satisfies Record<(typeof events)[WebhookEvent], { description: string }>,
});

const StateType = builder.enumType('WebhookDeliveryState', {
  description: openEnum('How the telling of one event stands.'),
  values: {
    PENDING: { description: 'Not told yet; tried at `nextAttemptAt`.' },
    DELIVERED: { description: 'The receiver answered 2xx.' },
    FAILED: { description: 'Given up, or overtaken by a newer event.' },
  } satisfies Record<Delivery['state'], { description: string }>,
});

const AttemptType = builder.objectRef<DeliveryAttempt>('WebhookAttempt').implement({
  description: 'One request to the receiver.',
  fields: (t) => ({
    at: t.field({ type: 'DateTime', description: 'When it began.', resolve: ({ at }) => at }),
    status: t.exposeInt('status', {
      nullable: true,
      description: 'HTTP status of the response; null when there was none.',
    }),
    error: t.exposeString('error', {
      nullable: true,
      description: 'Why it failed, in one sentence; null when it did not.',
    }),
    durationMs: t.int({
      description: 'How long it took, in milliseconds.',
      resolve: ({ durationMs }) => Math.round(durationMs),
    }),
  }),
});

const DeliveryType = builder.objectRef<Delivery>('WebhookDelivery').implement({
  description: 'One event that the webhook is told of, and how that went.',
  fields: (t) => ({
    webhookId: t.exposeString('id', {
      description: 'The `webhook-id` header: the same at each attempt, so that a repetition can be told.',
    }),
    event: t.field({ type: EventType, description: 'What happened.', resolve: ({ event }) => events[event] }),
    state: t.field({ type: StateType, description: 'How it stands.', resolve: ({ state }) => state }),
    createdAt: t.field({
      type: 'DateTime',
      description: 'When it happened.',
      resolve: ({ createdAt }) => createdAt,
    }),
    nextAttemptAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it is tried next; null when it is not tried again.',
      resolve: ({ nextAttemptAt }) => nextAttemptAt,
    }),
    attempts: t.field({
      type: [AttemptType],
      description: 'What was tried, oldest first.',
      resolve: ({ attempts }) => attempts,
    }),
  }),
});

type DeliveryEdge = Edge<Delivery>;

const DeliveryEdgeType = builder.objectRef<DeliveryEdge>('WebhookDeliveryEdge').implement({
  description: 'A delivery and where it stands in the list.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: 'For `after`.' }),
    node: t.field({ type: DeliveryType, description: 'The delivery.', resolve: ({ node }) => node }),
  }),
});

type DeliveryConnection = {
  readonly edges: readonly DeliveryEdge[];
  readonly hasNextPage: boolean;
  readonly after: string | null;
};

const DeliveryConnectionType = builder.objectRef<DeliveryConnection>('WebhookDeliveryConnection').implement({
  description: 'A page of deliveries, newest first.',
  fields: (t) => ({
    edges: t.field({
      type: [DeliveryEdgeType],
      description: 'The deliveries of this page.',
      resolve: ({ edges }) => edges,
    }),
    pageInfo: t.field({
      type: builder.pageInfoRef(),
      description: 'Where the page stands.',
      resolve: ({ edges, hasNextPage, after }) => pageInfoOf(edges, hasNextPage, after),
    }),
  }),
});

/** `msg_` and a UUID. */
const deliveryId = /^msg_[\w-]{1,80}$/;

const WebhookType = builder.objectRef<Job>('BulkJobWebhook').implement({
  description: 'Whom a job tells of its progress and end. The secret is never given out again.',
  fields: (t) => ({
    url: t.field({
      type: 'URL',
      description: 'Where it is told.',
      resolve: ({ webhook }) => webhook?.url ?? '',
    }),
    tellsProgress: t.boolean({
      description: 'Also at each tenth of the rows, and not at the end alone?',
      resolve: ({ webhook }) => webhook?.tellsProgress ?? false,
    }),
    deliveries: t.field({
      type: DeliveryConnectionType,
      extensions: pagedBy('first'),
      description: 'What it was told, newest first.',
      args: {
        first: t.arg.int({ required: true, description: 'How many, 1 to 100.' }),
        after: t.arg.string({ description: 'Cursor of the last delivery seen; default: from the newest.' }),
      },
      resolve: async ({ id }, { first, after = null }, { services }) => {
        const page = await services.jobs.deliveries(id, {
          limit: readPageSize(first),
          afterId: after === null ? null : readCursor('deliveries', after, deliveryId),
        });
        const edges = page.items.map((node) => ({ cursor: writeCursor('deliveries', node.id), node }));
        return { edges, hasNextPage: page.hasNextPage, after };
      },
    }),
  }),
});

builder.objectField(BulkJobType, 'webhook', (t) =>
  t.field({
    type: WebhookType,
    nullable: true,
    description: 'Whom it tells; null when nobody.',
    resolve: (job) => (job.webhook === null ? null : job),
  }),
);
