import type { LaneSnapshot } from '../smtp/index.ts';
import type { EgressSnapshot } from '../verify/index.ts';
import { grantedTo } from './access.ts';
import { builder, openEnum } from './builder.ts';
import { sizedBy } from './field-cost.ts';
import { readPageSize } from './page.ts';
import { ReplyType } from './reply.ts';

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
    probesPerSecond: t.exposeFloat('probesPerSecond', {
      nullable: true,
      description: 'Addresses it may ask about a second now, slowed down when told to; null is no limit.',
    }),
    pausedUntil: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it is tried again; null when it is not PAUSED.',
      resolve: ({ pausedUntil }) => pausedUntil,
    }),
    lastReply: t.field({
      type: ReplyType,
      nullable: true,
      description:
        "The last reply that slowed it down or stopped it, without anybody's address; null when none did.",
      resolve: ({ lastReply }) => lastReply,
    }),
  }),
});

const EgressStateType = builder.enumType('EgressState', {
  description: openEnum('Can mail servers be reached from where the gateway runs?'),
  values: {
    OPEN: { description: 'At least one was reached.' },
    BLOCKED: {
      description: 'Many of different owners were tried and none was reached: verdicts are EGRESS_BLOCKED.',
    },
    UNKNOWN: { description: 'Too few were tried to tell.' },
  } satisfies Record<EgressSnapshot['smtp'], { description: string }>,
});

const EgressType = builder.objectRef<EgressSnapshot>('Egress').implement({
  description: "The gateway's own way out to mail servers, as far as its work has shown.",
  fields: (t) => ({
    smtp: t.field({
      type: EgressStateType,
      description: 'Is the SMTP port open for us?',
      resolve: ({ smtp }) => smtp,
    }),
    checkedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When that was learned last; null when nothing was tried yet.',
      resolve: ({ checkedAt }) => checkedAt,
    }),
    detail: t.exposeString('detail', { description: 'One sentence for a person.' }),
  }),
});

/** The gateway itself: everything is read from the context. */
export const GatewayType = builder.objectRef<Record<never, never>>('Gateway').implement({
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
    egress: t.field({
      type: EgressType,
      description: 'Its own way out to mail servers.',
      resolve: (_gateway, _args, { services }) => services.verifier.readEgress(),
    }),
    lanes: t.field({
      type: [LaneType],
      extensions: { ...sizedBy('first'), ...grantedTo('admin') },
      description:
        'Lanes of this process, those with most waiting first. For admins: they tell whom others ask.',
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
  t.field({
    type: GatewayType,
    extensions: grantedTo('verify'),
    description: 'The gateway itself.',
    resolve: () => ({}),
  }),
);
