import type { Rule } from './rule.ts';

/**
 * Rows that must be tried before the codes: a provider's habits, and words that name the culprit so plainly that a
 * code beside them counts for less. First what is special to one provider or program, then greylisting and rate,
 * then us: our address, our EHLO argument, our reverse path. (Postfix with smtpd_delay_reject, its default, speaks
 * these refusals only at RCPT TO.)
 */
export const traps: readonly Rule[] = [
  {
    id: 'exchange-online-no-recipient',
    kind: 'MAILBOX_NOT_FOUND',
    phases: ['RCPT_TO'],
    codes: [5],
    enhanced: ['5.4.1'],
    pattern: /recipient address rejected: access denied|as\(20180627\d\)|as\(20180628\d\)/,
    example:
      '550 5.4.1 Recipient address rejected: Access denied. AS(201806281) [DB5EUR03FT011.eop-EUR03.prod.protection.outlook.com]',
    source: 'Microsoft, Directory-Based Edge Blocking: the recipient is not in the directory',
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
    pattern:
      /resolver\.rst\.(?:auth|not|restricted|sender|recipient)|authentication is required for recipient|recipientauthenticationrequired|not authenticated for (?:group|mailbox)/,
    example: '550 5.7.1 RESOLVER.RST.AuthRequired; authentication required [Stage: CreateMessage]',
    source: 'Microsoft Exchange: the recipient exists and takes mail from inside only',
  },
  {
    id: 'gmail-mailbox-busy',
    kind: 'MAILBOX_BUSY',
    phases: ['RCPT_TO'],
    pattern:
      /(?:user|account) (?:that )?you (?:are trying|tried) to (?:contact|reach) is receiving mail (?:at a rate|too quickly)/,
    example:
      '450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered. Please resend your message at a later time. gsmtp',
    source: 'Google Workspace, SMTP error reference: 450 4.2.1, and 550 5.2.1 with the same words',
  },
  {
    id: 'gmail-group',
    kind: 'POLICY',
    phases: ['RCPT_TO'],
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
    also: /\b5\.1\.[16]\b|user unknown|unknown (?:user|recipient)|no such (?:user|recipient|mailbox)|does ?n.t exist|does not exist|(?:user|recipient|mailbox) not found/,
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
    pattern:
      /gr[ea]y.?list|postgrey|sqlgrey|spamd.{0,20}whitelist|\bgraulist|liste grise|серы[йе] спис|грейлист|灰名单/,
    example:
      '450 4.2.0 <jo@example.com>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/example.com.html',
    source: 'postgrey, milter-greylist, SQLgrey, Exim, rspamd; RFC 6647',
  },
  {
    id: 'too-many-recipients',
    kind: 'TOO_MANY_RECIPIENTS',
    phases: ['RCPT_TO'],
    codes: [4, 552, 550, 554],
    pattern:
      /too many (?:rcpt|recipients?)|recipient (?:count|limit)|maximum (?:number of )?recipients|recipients? per (?:message|transaction)/,
    unless: /invalid recipients|per (?:hour|minute|day)|in a short|unknown/,
    example: '452 4.5.3 Error: too many recipients',
    source: 'RFC 5321 §4.5.3.1.10: 452, and 552 from old servers; ask the rest in another transaction',
  },
  {
    id: 'too-many-connections',
    kind: 'RATE_LIMITED',
    codes: [4],
    pattern:
      /too (?:many|much) (?:concurrent |simultaneous |smtp |open )*(?:connections?|sessions?|mail|messages?|commands?|errors?)|(?:connection|message|sending|recipient|rate) (?:rate )?limit|rate.?limit|throttl|slow down|too (?:fast|quickly|frequently|often)|excessive (?:volume|rate|number)|trop de connexions|zu viele|слишком (?:много|часто)|超过|频率|过于频繁/,
    example: '421 4.7.0 mx.example.net Error: too many connections from 192.0.2.1',
    source: 'Postfix anvil(8) and others',
  },
  {
    id: 'yahoo-tss',
    kind: 'RATE_LIMITED',
    codes: [4],
    pattern: /\[tss\d\d\]|temporarily deferred due to (?:unexpected volume or )?user complaints|\[ts\d\d\]/,
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
      '553 5.7.2 [TSS09] All messages from 192.0.2.1 will be permanently deferred; Retrying will NOT succeed.',
    source: 'Yahoo, SMTP error codes: TSS09, BL21, BL23',
  },
  {
    id: 'outlook-block-list',
    kind: 'IP_BLOCKED',
    codes: [4, 5],
    pattern:
      /on our block ?list|\(s31[0-9]{2}\)|\bs3140\b|\bs3150\b|banned sending ip|delist@messaging\.microsoft|delist\.messaging|sender\.office\.com/,
    example:
      "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140).",
    source: 'Outlook.com postmaster: S3140, S3150; Exchange Online 5.7.511, 5.7.606–649',
  },
  {
    id: 'dns-block-list',
    kind: 'IP_BLOCKED',
    pattern:
      /blocked using|spamhaus|spamcop|\bsorbs\b|barracuda(?:central|networks)?\.(?:org|com)\/(?:reputation|lookups)|b\.barracudacentral|cloudmark|abuseat|uceprotect|senderscore|invaluement|ivmsip|\bdnsbl\b|\brbl\b|\bdnswl\b|real.?time black|(?:black|block|deny)[- ]?list(?:ed|ing)?|block.?listing|schwarze liste|blacklisté|liste noire|чёрн\p{L}+ спис|черн\p{L}+ спис|黑名单/u,
    unless: /recipient (?:address )?(?:is )?(?:black|block|deny)[- ]?list/,
    example:
      '554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.1',
    source: 'Postfix reject_rbl_client and every other DNSBL user',
  },
  {
    id: 'client-host-rejected',
    kind: 'IP_BLOCKED',
    pattern:
      /client host (?:\S{1,200} )?rejected|(?:unknown|bad|dynamic) client|your (?:mail ?)?host(?:name)? (?:is |was )?(?:rejected|refused|blocked)|hosts? (?:with|without) (?:dynamic|reverse|ptr)/,
    example: '450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]',
    source: 'Postfix reject_unknown_client_hostname',
  },
  {
    id: 'no-reverse-dns',
    kind: 'IP_BLOCKED',
    pattern:
      /\bptr\b|\brdns\b|reverse (?:dns|lookup|hostname|mapping)|(?:cannot|could not|can't) (?:find|resolve) your (?:host|ip|reverse)|ip name lookup failed|fcrdns|обратн\p{L}+ (?:dns|зон|запис)|反向解析/u,
    example:
      '550 5.7.25 The IP address sending this message does not have a PTR record setup, or the corresponding forward DNS entry does not point to the sending IP.',
    source: 'RFC 7372 §3.3; Gmail, t-online.de',
  },
  {
    id: 'helo-rejected',
    kind: 'EHLO_REFUSED',
    pattern:
      /(?:helo|ehlo)(?:\/ehlo)? (?:command |argument |name |hostname )?(?:is )?(?:rejected|invalid|not allowed|refused|denied|required|must|does not)|(?:invalid|bad|bogus|forged|suspicious|wrong|access denied - invalid) (?:helo|ehlo)|(?:helo|ehlo) .{0,60}(?:invalid|bogus|forged|reject|resolve|fully)/,
    example: '504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname',
    source: 'Postfix reject_non_fqdn_helo_hostname, Exim ACLs',
  },
  {
    id: 'sender-rejected',
    kind: 'SENDER_REFUSED',
    pattern:
      /(?:sender|from|return.?path|reverse.?path|mail from|originat\w{2,3}) ?(?:address|domain|email)?(?: \S{1,200})? ?(?:is |was |has been )?(?:rejected|refused|denied|blocked|not (?:exist|found|allowed|valid|verified|permitted)|invalid|does ?n.t (?:exist|resolve)|does not (?:exist|resolve)|verify failed)|sender verif|domain of sender|invalid sender|bad sender|null sender|empty (?:sender|envelope)|bounces? (?:not|are not) accepted|expéditeur|absender|отправител|发件人|发信/,
    unless: /recipient address rejected|recipient .{0,40}(?:unknown|not found|does not exist)/,
    example: '450 4.1.8 <probe@sender.example>: Sender address rejected: Domain not found',
    source: 'Postfix reject_unknown_sender_domain; Exim sender verification',
  },
  {
    id: 'ip-named',
    kind: 'IP_BLOCKED',
    pattern:
      /(?:your|the|this|sending|client|source|sender'?s?|remote) (?:sending )?(?:ip|host|network|server|mta|mail server)(?: address)?(?: \S{1,100})? (?:is |has been |was |are )?(?:\w{1,12} )?(?:blocked|banned|listed|rejected|denied|refused|not (?:allowed|authorized|permitted|accepted)|blacklisted|in (?:a|our|the))|(?:poor|low|bad) (?:\w{1,12} )?reputation|reputation .{0,40}(?:low|poor|bad|block)|ip (?:address )?(?:you're|you are) using|not (?:currently )?accept\w* (?:mail|messages?|connections?|email) from (?:your|this|dynamic|host)|access from ip|unsolicited mail|suspected spam|spam(?:mer)? (?:source|detected|host)|open (?:proxy|relay)|dynamic ip|your ip/,
    example:
      "550 5.7.1 [192.0.2.1] The IP you're using to send mail is not authorized to send email directly to our servers.",
    source: 'Gmail, Cisco, GMX, QQ and many more',
  },
  {
    id: 'sender-authentication',
    kind: 'SENDER_REFUSED',
    pattern: /\bspf\b|\bdmarc\b|\bdkim\b|openspf\.|sender policy framework/,
    unless: /recipient .{0,40}(?:unknown|not found|does not exist)/,
    example: '550 5.7.1 SPF check failed: 192.0.2.1 is not allowed to send mail from sender.example',
    source: 'RFC 7372; pypolicyd-spf, Exim, MDaemon',
  },
  {
    id: 'starttls-first',
    kind: 'TLS_REQUIRED',
    pattern:
      /starttls|(?:tls|ssl|encrypt\w{0,4})(?: \w{1,12})? (?:is )?(?:required|needed|mandatory)|requires? (?:tls|ssl|encryption)/,
    example: '530 5.7.0 Must issue a STARTTLS command first',
    source: 'RFC 3207 §4',
    phases: ['EHLO', 'MAIL_FROM', 'RCPT_TO'],
    codes: [4, 5],
  },
  {
    id: 'full-in-spite-of-5.1.1',
    kind: 'MAILBOX_FULL',
    phases: ['RCPT_TO'],
    enhanced: ['x.1.1'],
    pattern: /over (?:\w{1,8} )?quota|(?:mailbox|inbox) (?:is )?full|quota (?:exceeded|is full)/,
    example: '550 User over quota. (#5.1.1)',
    source: 'qmail-toaster',
  },
];
