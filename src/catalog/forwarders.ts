/** Services that keep no mail: they pass it on to a mailbox elsewhere. */
import type { ProviderRow } from './provider-row.ts';

const forwarder = { kind: 'FORWARDER', acceptsBeforeChecking: false } as const;

export const forwarders: readonly ProviderRow[] = [
  {
    ...forwarder,
    id: 'CLOUDFLARE_EMAIL_ROUTING',
    name: 'Cloudflare Email Routing',
    note: 'Addresses without a rule are refused unless there is a catch-all. https://developers.cloudflare.com/email-routing/postmaster',
    exchanges: ['mx.cloudflare.net'],
  },
  {
    ...forwarder,
    id: 'IMPROVMX',
    name: 'ImprovMX',
    note: 'A catch-all is its default. https://improvmx.com/guides',
    exchanges: ['improvmx.com'],
  },
  {
    ...forwarder,
    id: 'FORWARD_EMAIL',
    name: 'Forward Email',
    note: 'https://forwardemail.net/en/faq',
    exchanges: ['forwardemail.net'],
  },
  {
    ...forwarder,
    id: 'NAMECHEAP_FORWARDING',
    name: 'Namecheap Email Forwarding',
    note: 'https://www.namecheap.com/support/knowledgebase/article.aspx/308',
    exchanges: ['registrar-servers.com'],
  },
  {
    ...forwarder,
    id: 'PORKBUN_FORWARDING',
    name: 'Porkbun Email Forwarding',
    note: 'https://kb.porkbun.com',
    exchanges: ['fwd1.porkbun.com', 'fwd2.porkbun.com'],
  },
  {
    ...forwarder,
    id: 'SIMPLELOGIN',
    name: 'SimpleLogin',
    note: 'Aliases of Proton; catch-all domains are common. https://simplelogin.io/docs',
    exchanges: ['simplelogin.co'],
  },
  {
    ...forwarder,
    id: 'ADDY_IO',
    name: 'addy.io',
    note: 'An alias comes to life with its first mail, so every local part is taken. https://addy.io/faq',
    exchanges: ['anonaddy.me', 'addy.io'],
  },
  {
    ...forwarder,
    id: 'DUCKDUCKGO',
    name: 'DuckDuckGo Email Protection',
    note: 'https://duckduckgo.com/duckduckgo-help-pages/email-protection',
    exchanges: ['duck.com', 'duckduckgo.com'],
    domains: ['duck.com'],
  },
  {
    ...forwarder,
    id: 'FIREFOX_RELAY',
    name: 'Firefox Relay',
    note: 'Received by Amazon SES. https://support.mozilla.org/products/relay',
    exchanges: [],
    domains: ['mozmail.com'],
  },
  {
    ...forwarder,
    id: 'APPLE_PRIVATE_RELAY',
    name: 'Apple Hide My Email',
    note: 'Sign in with Apple: takes mail from registered senders only. https://developer.apple.com/help/account/configure-app-capabilities/configure-private-email-relay-service',
    exchanges: [],
    domains: ['privaterelay.appleid.com'],
  },
];
