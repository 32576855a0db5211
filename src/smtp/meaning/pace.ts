import { anyOf, type Rule } from './rule.ts';

/**
 * Greylisting, and rates: "not now" and "not so fast", words that count whatever the code beside them is. What is said
 * of many unknown recipients is said of our pace and never of the one that is asked about.
 */
export const pace: readonly Rule[] = [
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
      /first (?:contact|visit|delivery attempt)|not been seen before|\btriplet\b|sender.recipient pair/,
      /グレーリスト/,
    ),
    example:
      '450 4.2.0 <jo@example.com>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/example.com.html',
    source: 'postgrey, milter-greylist, SQLgrey, Exim, rspamd; RFC 6647',
  },
  {
    id: 'harvest-attack',
    kind: 'IP_BLOCKED',
    codes: [5],
    pattern: /(?:dictionary|directory harvest|harvesting) (?:attack|attempt)|address harvest|\bdha\b/,
    example: '554 5.7.1 Directory harvest attack: too many unknown users from 192.0.2.1',
    source: 'Cisco DHAP, MDaemon, Kerio: we are taken for a harvester',
  },
  {
    id: 'too-many-unknown',
    kind: 'RATE_LIMITED',
    pattern:
      /too many (?:\w{1,12} )?(?:unknown|invalid|bad|non-?existent|failed|rejected|wrong) (?:rcpts?|recipients?|users?|addresses|mailboxes)/,
    example: '550 5.7.1 Too many invalid recipients from your host, try later',
    source: 'Exim smtp_accept_max_nonmail and ACLs, Cisco, Exchange: refusals in a session or an hour',
  },
  {
    id: 'recipients-an-hour',
    kind: 'RATE_LIMITED',
    phases: ['RCPT_TO'],
    enhanced: ['x.5.3'],
    pattern: /(?:per|this|an|each|every|for the) (?:hour|minute|day)/,
    example: '451 4.5.3 Recipients limit for this hour reached',
    source: 'Cisco, cPanel: x.5.3 that is no limit of a transaction',
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
    id: 'yahoo-tss',
    kind: 'RATE_LIMITED',
    codes: [4],
    pattern: anyOf(
      /\[tss\d\d\]/,
      /temporarily deferred due to (?:unexpected volume or )?user complaints/,
      /\[ts\d\d\]/,
      /\[#4\.16\.\d{1,3}\]/,
    ),
    example:
      '421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes',
    source: 'Yahoo, SMTP error codes: TSS04 and kin are temporary',
  },
  {
    id: 'too-many-connections',
    kind: 'RATE_LIMITED',
    codes: [4],
    pattern: anyOf(
      /too (?:many|much) (?:concurrent |simultaneous |smtp |open )*(?:connections?|sessions?|mail|messages?|commands?|requests?|errors?)/,
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
      /unusual rate of|exceeded the (?:number|rate) of/,
      /多すぎます/,
      /demasiad[ao]s/,
      /过于频繁/,
    ),
    example: '421 4.7.0 mx.example.net Error: too many connections from 192.0.2.1',
    source: 'Postfix anvil(8) and others',
  },
  {
    id: 'too-often-for-good',
    kind: 'RATE_LIMITED',
    codes: [5],
    pattern: anyOf(
      /too (?:fast|frequently|often)\b|rate.?limit(?:s|ed|ing)? |too many (?:connections?|requests?|attempts)/,
      /(?:daily|hourly) (?:\w{1,10} )?(?:sending |message )?(?:quota|limit) (?:is |was |has been )?(?:exceeded|reached)/,
      /zu (?:viele|häufig)/,
      /слишком (?:много|часто)/,
      /过于频繁|频率过/,
      /多すぎます/,
    ),
    unless: /frequency limited|blocked ip|spamhaus|quota of (?:the )?recipient/,
    example: '550 5.7.1 Too many connections from your host today, user unknown or not',
    source: 'servers that say it with a 5xx; QQ, Coremail',
  },
];
