import type { Provider, ProviderKind } from '../catalog/index.ts';
import { builder, openEnum } from './builder.ts';

const ProviderKindType = builder.enumType('ProviderKind', {
  description: openEnum('What a provider does for the mail of a domain.'),
  values: {
    MAILBOX_PROVIDER: { description: 'Keeps mailboxes, for people or for firms.' },
    SECURITY_GATEWAY: { description: "Filters in front of somebody else's server." },
    FORWARDER: { description: 'Passes mail on to mailboxes elsewhere.' },
    HOSTER: { description: 'Hosts mail along with web sites.' },
  } satisfies Record<ProviderKind, { description: string }>,
});

export const ProviderType = builder.objectRef<Provider>('Provider').implement({
  description: 'Who runs the mail servers of a domain, as far as its names tell.',
  fields: (t) => ({
    code: t.exposeString('id', { description: 'Stable code in upper case, such as `GOOGLE`.' }),
    name: t.exposeString('name', { description: 'Name for people.' }),
    kind: t.field({ type: ProviderKindType, description: 'What it does.', resolve: ({ kind }) => kind }),
    acceptsBeforeChecking: t.exposeBoolean('acceptsBeforeChecking', {
      description: 'Does it accept every recipient and refuse later, so that an acceptance tells nothing?',
    }),
    note: t.exposeString('note', { description: 'What a mail engineer should know of it.' }),
  }),
});
