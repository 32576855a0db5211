import { anyOf, type Rule } from './rule.ts';

/**
 * A provider's or a program's habits: replies that mean something else than the code beside them says. Then greylisting
 * and rate, which are words whatever their code is.
 */
export const traps: readonly Rule[] = [
  {
    id: 'exchange-online-no-recipient',
    kind: 'MAILBOX_NOT_FOUND',
    phases: ['RCPT_TO'],
    codes: [5],
    enhanced: ['5.4.1'],
    pattern: /recipient address(?:es)? rejected ?: access denied|as\(2018062[78]\d\)/,
    example:
      '550 5.4.1 Recipient address rejected: Access denied. AS(201806281) [DB5EUR03FT011.eop-EUR03.prod.protection.outlook.com]',
    source: 'Microsoft, Directory-Based Edge Blocking: the recipient is not in the directory',
  },
  {
    id: 'exchange-online-5.4.1',
    kind: 'MAILBOX_NOT_FOUND',
    phases: ['RCPT_TO'],
    codes: [5],
    enhanced: ['5.4.1'],
    unless: /relay|blocked|banned/,
    providers: ['MICROSOFT_365'],
    example: '550 5.4.1 Recipient rejected at the edge [AM0PR02CA0001.prod.protection.outlook.com]',
    source: 'the same, should Microsoft change the words: 5.4.1 at its RCPT TO is either this or relaying',
  },
  {
    id: 'exchange-online-not-found-5.1.10',
    kind: 'MAILBOX_NOT_FOUND',
    phases: ['RCPT_TO'],
    codes: [5],
    enhanced: ['5.1.10'],
    pattern: /recipient ?not ?found/,
    example:
      '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient jo@example.com not found by SMTP address lookup',
    source: 'Microsoft, NDR code 5.1.10; elsewhere 5.1.10 is a null MX (RFC 7505 §4.2)',
  },
  {
    id: 'exchange-restricted-recipient',
    kind: 'POLICY',
    phases: ['RCPT_TO'],
    codes: [5],
    pattern: anyOf(
      /resolver\.rst\.(?:auth|not|restricted|sender|recipient)/,
      /authentication is required for recipient/,
      /recipientauthenticationrequired/,
      /not authenticated for (?:group|mailbox)/,
    ),
    example: '550 5.7.1 RESOLVER.RST.AuthRequired; authentication required [Stage: CreateMessage]',
    source: 'Microsoft Exchange: the recipient exists and takes mail from inside only',
  },
  {
    id: 'gmail-mailbox-busy',
    kind: 'MAILBOX_BUSY',
    phases: ['RCPT_TO'],
    pattern: /(?:user|account|mailbox)\b.{0,60} receiving mail (?:at a rate|too quickly)/,
    example:
      '450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered. Please resend your message at a later time. gsmtp',
    source: 'Google Workspace, SMTP error reference: 450 4.2.1, and 550 5.2.1 with the same words',
  },
  {
    id: 'gmail-group',
    kind: 'POLICY',
    phases: ['RCPT_TO'],
    codes: [5],
    pattern: /group you tried to contact/,
    example:
      "550 5.7.1 We're writing to let you know that the group you tried to contact (jo) may not exist, or you may not have permission to post messages to the group.",
    source: 'Google Groups: says on purpose that it is one or the other',
  },
  {
    id: 'yahoo-552-not-found',
    kind: 'MAILBOX_NOT_FOUND',
    phases: ['RCPT_TO'],
    codes: [5],
    pattern: /requested mail action aborted, mailbox not found/,
    example: '552 1 Requested mail action aborted, mailbox not found',
    source: 'Yahoo and AOL: 552, yet nothing is full',
  },
  {
    id: 'postfix-probe-found-nobody',
    kind: 'MAILBOX_NOT_FOUND',
    phases: ['RCPT_TO'],
    pattern: /(?:undeliverable|unverified) address:/,
    also: anyOf(
      /\b5\.1\.[16]\b/,
      /user unknown/,
      /unknown (?:user|recipient)/,
      /no such (?:user|recipient|mailbox)/,
      /does ?n.t exist/,
      /does not exist/,
      /(?:user|recipient|mailbox) not found/,
    ),
    unless: /client host|sender address|blocked using|helo command|spamhaus/,
    example:
      '450 4.1.1 <jo@example.com>: Recipient address rejected: undeliverable address: host 10.0.0.9[10.0.0.9] said: 550 5.1.1 <jo@example.com>: Recipient address rejected: User unknown in local recipient table (in reply to RCPT TO command)',
    source:
      'Postfix reject_unverified_recipient: 450 by default (unverified_recipient_reject_code), also for known-bad',
  },
  {
    id: 'postfix-probe-pending',
    kind: 'TEMPORARY',
    phases: ['RCPT_TO'],
    codes: [4],
    pattern: /(?:undeliverable|unverified) address\b|address verification in progress/,
    example:
      '450 4.1.1 <jo@example.com>: Recipient address rejected: unverified address: Address verification in progress',
    source: 'Postfix reject_unverified_recipient: the probe has not ended, or ended without an answer',
  },
  {
    id: 'postscreen-first-visit',
    kind: 'GREYLISTED',
    phases: ['RCPT_TO'],
    codes: [450],
    enhanced: ['4.3.2'],
    pattern: /service currently unavailable/,
    example: '450 4.3.2 Service currently unavailable',
    source:
      'Postfix POSTSCREEN_README: a client that passed the tests after the greeting must reconnect once',
  },
  {
    id: 'mimecast-greylisting',
    kind: 'GREYLISTED',
    phases: ['RCPT_TO'],
    codes: [4],
    pattern: /internal resources? (?:are|is) temporarily unavailable/,
    example:
      '451 Internal resources are temporarily unavailable - https://community.mimecast.com/docs/DOC-1369#451 [abcDEF123.uk10]',
    source: 'Mimecast, SMTP error codes: 451, greylisting applied',
  },
  {
    id: 'greylisting-words',
    kind: 'GREYLISTED',
    codes: [4],
    pattern: anyOf(
      /gr[ea]y.?list/,
      /postgrey/,
      /sqlgrey/,
      /\bgraulist/,
      /liste grise/,
      /сер\p{L}{2,3} спис/u,
      /грейлист/,
      /灰名单/,
    ),
    example:
      '450 4.2.0 <jo@example.com>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/example.com.html',
    source: 'postgrey, milter-greylist, SQLgrey, Exim, rspamd; RFC 6647',
  },
  {
    id: 'too-many-recipients',
    kind: 'TOO_MANY_RECIPIENTS',
    phases: ['RCPT_TO'],
    codes: [4, 552, 550, 554],
    pattern: anyOf(
      /too many (?:rcpt|recipients?)/,
      /recipient (?:count|limit)/,
      /maximum (?:number of )?recipients/,
      /recipients? per (?:message|transaction)/,
    ),
    unless:
      /invalid recipients|(?:per|this|an|each|every) (?:hour|minute|day)|in a short|unknown|recipients from/,
    example: '452 4.5.3 Error: too many recipients',
    source: 'RFC 5321 §4.5.3.1.10: 452, and 552 from old servers; ask the rest in another transaction',
  },
  {
    id: 'too-many-recipients-from-us',
    kind: 'RATE_LIMITED',
    phases: ['RCPT_TO'],
    pattern: /too many recipients (?:from|received|this|per|in)\b/,
    example:
      '550 5.1.1 <jo@example.com> - 192.0.2.1 has sent to too many recipients this hour. IB607 <http://x.co/rlbounce>',
    source: 'GoDaddy IB607, in spite of its 5.1.1; Postfix smtpd_client_recipient_rate_limit; Cisco',
  },
  {
    id: 'netease-rate',
    kind: 'RATE_LIMITED',
    codes: [4],
    pattern: /\bhl:(?:icc|ifc|rep|mep|itc)\b|\b(?:mi|rp):(?:cel|dmc|ccl|drc|sfq)\b/,
    example: '421 HL:IFC 192.0.2.1,smtp12 http://mail.163.com/help/help_spam_16.htm',
    source: 'NetEase (163.com, 126.com), help_spam_16: connections, letters or commands over the limit',
  },
  {
    id: 'too-many-connections',
    kind: 'RATE_LIMITED',
    codes: [4],
    pattern: anyOf(
      /too (?:many|much) (?:concurrent |simultaneous |smtp |open )*(?:connections?|sessions?|mail|messages?|commands?|errors?)/,
      /(?:connection|message|sending|recipient|rate) (?:rate )?limit/,
      /rate.?limit/,
      /throttl|frequency limited|\brp-00\d\b|max(?:imum)? (?:\w{1,12} )?(?:messages?|connections?)|service refuse/,
      /slow down/,
      /too (?:fast|quickly|frequently|often)/,
      /excessive (?:volume|rate|number)/,
      /trop de connexions/,
      /zu viele/,
      /слишком (?:много|часто)/,
      /超过/,
      /频率/,
      /过于频繁/,
    ),
    example: '421 4.7.0 mx.example.net Error: too many connections from 192.0.2.1',
    source: 'Postfix anvil(8) and others',
  },
  {
    id: 'yahoo-permanently-deferred',
    kind: 'IP_BLOCKED',
    pattern: /permanently deferred/,
    example:
      '421 4.7.1 [TS03] All messages from 192.0.2.1 will be permanently deferred; Retrying will NOT succeed. See https://postmaster.yahooinc.com/error-codes',
    source: 'Yahoo, SMTP error codes: TS03, TSS09, TSS11; a 4xx that will not pass',
  },
  {
    id: 'yahoo-tss',
    kind: 'RATE_LIMITED',
    codes: [4],
    pattern: anyOf(
      /\[tss\d\d\]/,
      /temporarily deferred due to (?:unexpected volume or )?user complaints/,
      /\[ts\d\d\]/,
    ),
    example:
      '421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes',
    source: 'Yahoo, SMTP error codes: TSS04 and kin are temporary',
  },
  {
    id: 'yahoo-tss-permanent',
    kind: 'IP_BLOCKED',
    codes: [5],
    pattern: /\[tss\d\d\]|\[ts\d\d\]|\[bl\d\d\]/,
    example:
      "553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list; see http://postmaster.yahoo.com/550-bl23.html",
    source: 'Yahoo, SMTP error codes: BL21, BL23',
  },
  {
    id: 'facebook-preferences',
    kind: 'POLICY',
    phases: ['RCPT_TO'],
    codes: [5],
    pattern: /due to recipient preferences/,
    example:
      '550 5.1.1 RCP-P2 http://postmaster.facebook.com/response_codes?ip=192.0.2.1#rcp Refused due to recipient preferences',
    source: 'Facebook: the account exists and takes mail from friends only, in spite of 5.1.1',
  },
  {
    id: 'outlook-block-list',
    kind: 'IP_BLOCKED',
    codes: [4, 5],
    pattern: anyOf(
      /on our block ?list/,
      /\(s31[0-9]{2}\)/,
      /\bs3140\b/,
      /\bs3150\b/,
      /banned sending ip/,
      /delist@messaging\.microsoft/,
      /delist\.messaging/,
      /sender\.office\.com/,
    ),
    example:
      "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140).",
    source: 'Outlook.com postmaster: S3140, S3150; Exchange Online 5.7.511, 5.7.606–649',
  },
  {
    id: 'outlook-messages-not-sent',
    kind: 'IP_BLOCKED',
    codes: [5],
    pattern: /unfortunately, (?:some )?messages from/,
    example:
      "550 SC-004 (COL0-MC1-F1) Unfortunately, messages from 192.0.2.1 weren't sent. The problem is that too many unwanted messages have been sent.",
    source: 'Outlook.com postmaster: SC-001 to SC-004, DY-001, OU-001',
  },
  {
    id: 'full-in-spite-of-5.1.1',
    kind: 'MAILBOX_FULL',
    phases: ['RCPT_TO'],
    enhanced: ['x.1.1'],
    pattern: /over ?(?:\w{1,8} )?quota|(?:mailbox|inbox) (?:is )?full|quota (?:exceeded|is full)|pleine/,
    example: '550 User over quota. (#5.1.1)',
    source: 'qmail-toaster, Orange OFR_417',
  },
];
