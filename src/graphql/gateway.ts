import type { LaneSnapshot } from '../smtp/index.ts';
import { builder, openEnum } from './builder.ts';
import { readPageSize } from './page.ts';

const LaneStateType = builder.enumType('LaneState', {
  description: openEnum('What a lane is doing.'),
  values: {
    IDLE: { description: 'Nothing to ask.' },
    ACTIVE: { description: 'Asking, or about to.' },
    PAUSED: { description: 'Waiting because the exchange told us to slow down or to stay away.' },
  } satisfies Record<LaneSnapshot['state'], { description: string }>,
});

const LaneType = builder.objectRef<LaneSnapshot>('Lane').implement({
  description: 'What the gateway holds for one set of exchanges; domains with the same MX share it.',
  fields: (t) => ({
    exchanges: t.exposeStringList('exchanges', { description: 'Host names, most preferred first.' }),
    state: t.field({ type: LaneStateType, description: 'What it is doing.', resolve: ({ state }) => state }),
    sessions: t.exposeInt('sessions', { description: 'SMTP sessions open now.' }),
    queued: t.exposeInt('queued', { description: 'Addresses waiting for a session.' }),
  }),
});

/** The gateway itself: everything is read from the context. */
const GatewayType = builder.objectRef<Record<never, never>>('Gateway').implement({
  description: 'The gateway itself.',
  fields: (t) => ({
    version: t.string({
      description: 'Version of rcpt.',
      resolve: (_gateway, _args, { services }) => services.gateway.version,
    }),
    isSandbox: t.boolean({
      description: 'Is the mail internet simulated? Then no verdict says anything about a real mailbox.',
      resolve: (_gateway, _args, { services }) => services.gateway.isSandbox,
    }),
    lanes: t.field({
      type: [LaneType],
      description: 'Lanes of this process, those with most waiting first.',
      args: { first: t.arg.int({ required: true, description: 'How many, 1 to 100.' }) },
      resolve: (_gateway, { first }, { services }) =>
        services.prober
          .lanes()
          .toSorted((a, b) => b.queued - a.queued || b.sessions - a.sessions)
          .slice(0, readPageSize(first)),
    }),
  }),
});

builder.queryField('gateway', (t) =>
  t.field({ type: GatewayType, description: 'The gateway itself.', resolve: () => ({}) }),
);
