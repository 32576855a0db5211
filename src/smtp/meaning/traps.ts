import { anyOf, type Rule } from './rule.ts';

/**
 * A provider's or a program's habits: replies that mean something else than the code beside them says.
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
      /senders?notauthenticatedfor|usernotmemberof|allowed-senders list/,
    ),
    example: '550 5.7.1 RESOLVER.RST.AuthRequired; authentication required [Stage: CreateMessage]',
    source: 'Microsoft Exchange: the recipient exists and takes mail from inside only',
  },
  {
    id: 'gmail-mailbox-busy',
    kind: 'MAILBOX_BUSY',
    phases: ['RCPT_TO'],
    pattern: /(?:user|account|mailbox|recipient)\b.{0,60} receiving mail (?:at a rate|too quickly)/,
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
      /5\.4\.1 .{0,80}recipient address rejected: access denied/,
    ),
    unless: /client host|sender address|blocked using|helo command|spamhaus/,
    example:
      '450 4.1.1 <jo@example.com>: Recipient address rejected: undeliverable address: host 10.0.0.9[10.0.0.9] said: 550 5.1.1 <jo@example.com>: Recipient address rejected: User unknown in local recipient table (in reply to RCPT TO command)',
    source:
      'Postfix reject_unverified_recipient: 450 by default (unverified_recipient_reject_code), also for known-bad',
  },
  {
    id: 'postfix-probe-found-it-full',
    kind: 'MAILBOX_FULL',
    phases: ['RCPT_TO'],
    pattern: /(?:undeliverable|unverified) address:/,
    also: /\b[45]\.2\.2\b|over quota|mailbox (?:is )?full/,
    example:
      '450 4.1.1 <jo@example.com>: Recipient address rejected: unverified address: host mx said: 452 4.2.2 Mailbox full',
    source: 'Postfix reject_unverified_recipient: what the host behind it said',
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
    id: 'postfix-probe-refused',
    kind: 'POLICY',
    phases: ['RCPT_TO'],
    codes: [5],
    pattern: /(?:undeliverable|unverified) address\b/,
    example:
      '550 5.1.1 <jo@example.com>: Recipient address rejected: undeliverable address: host mx said: 554 5.7.1 Message content rejected',
    source:
      'Postfix reject_unverified_recipient: its own prober was refused or met nobody, in spite of 5.1.1',
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
    id: 'yahoo-tss-permanent',
    kind: 'IP_BLOCKED',
    codes: [5],
    pattern: /\[tss\d\d\]|\[ts\d\d\]|\[bl\d\d\]/,
    example:
      "553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list; see http://postmaster.yahoo.com/550-bl23.html",
    source: 'Yahoo, SMTP error codes: BL21, BL23',
  },
  {
    id: 'aol-does-not-want-us',
    kind: 'IP_BLOCKED',
    codes: [5],
    pattern: /will not accept delivery of this message|\((?:rly|dyn|cvu|hvu|ctr|snd):\w{1,4}\)/,
    example: '554 5.2.1 : (DYN:T1) http://postmaster.info.aol.com/errors/554dynt1.html',
    source: 'AOL, error codes RLY, DYN, CVU, HVU: our address or volume, in spite of 5.2.1',
  },
  {
    id: 'facebook-preferences',
    kind: 'POLICY',
    phases: ['RCPT_TO'],
    codes: [5],
    pattern: /due to recipient preferences|recipient (?:has )?blocked (?:mail|messages|e-?mails?) from/,
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
    id: 'opensmtpd-expansion',
    kind: 'MAILBOX_NOT_FOUND',
    phases: ['RCPT_TO'],
    codes: [524],
    enhanced: ['5.2.4'],
    pattern: /mailing list expansion problem/,
    example: '524 5.2.4 Mailing list expansion problem: <jo@example.com>',
    source: 'OpenSMTPD 6.8: the recipient is in no virtual table and is no alias; seen by test/mta',
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
