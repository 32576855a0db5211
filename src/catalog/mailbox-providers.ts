/**
 * Providers that hold mailboxes, for people in domains of their own and for firms in the firms' domains. Sources: the
 * provider's own page on the MX records to set, or on its addresses, at the end of each note.
 */
import type { ProviderRow } from './provider-row.ts';

const mailbox = { kind: 'MAILBOX_PROVIDER', acceptsBeforeChecking: false } as const;

export const mailboxProviders: readonly ProviderRow[] = [
  {
    ...mailbox,
    id: 'GMAIL',
    name: 'Gmail',
    note: 'Refuses unknown mailboxes at RCPT with 550 5.1.1; 450 4.2.1 means that the mailbox exists and receives too fast. https://support.google.com/a/answer/3726730',
    exchanges: ['gmail-smtp-in.l.google.com'],
    domains: ['gmail.com', 'googlemail.com'],
  },
  {
    ...mailbox,
    id: 'GOOGLE_WORKSPACE',
    name: 'Google Workspace',
    note: 'A firm may route unknown names to a catch-all mailbox; new domains have the one exchange smtp.google.com. https://support.google.com/a/answer/174125',
    exchanges: ['aspmx.l.google.com', 'googlemail.com', 'smtp.google.com'],
  },
  {
    ...mailbox,
    id: 'OUTLOOK_COM',
    name: 'Outlook.com',
    note: 'Blocks by IP at MAIL FROM or RCPT with 550 5.7.1 and an S31xx code; unknown mailboxes are 550 5.5.0. https://sendersupport.olc.protection.outlook.com/pm/troubleshooting.aspx',
    exchanges: ['olc.protection.outlook.com'],
    domains: ['outlook.com', 'hotmail.com', 'live.com', 'msn.com', 'passport.com'],
  },
  {
    ...mailbox,
    id: 'MICROSOFT_365',
    name: 'Microsoft 365',
    note: 'Refuses unknown recipients of an authoritative domain with 550 5.4.1 … AS(201806281) where edge blocking is on, and accepts all where it is off. https://learn.microsoft.com/exchange/mail-flow-best-practices/use-directory-based-edge-blocking',
    exchanges: [
      'mail.protection.outlook.com',
      'mx.microsoft',
      'mail.protection.office365.us',
      'mail.protection.partner.outlook.cn',
    ],
  },
  {
    ...mailbox,
    id: 'YAHOO',
    name: 'Yahoo Mail',
    note: 'https://senders.yahooinc.com/smtp-error-codes/',
    exchanges: ['yahoodns.net'],
    domains: ['yahoo.com', 'ymail.com', 'rocketmail.com', 'aol.com'],
  },
  {
    ...mailbox,
    id: 'ICLOUD',
    name: 'iCloud Mail',
    note: 'Also serves custom domains. https://support.apple.com/102374',
    exchanges: ['mail.icloud.com'],
    domains: ['icloud.com', 'me.com', 'mac.com'],
  },
];
