import { DISABLED, NOT_FOUND, NOT_FOUND_ELSEWHERE } from './phrases.ts';
import { anyOf, type Rule } from './rule.ts';

/**
 * Phrases, for codes that name only a family of causes or are missing. Said to RCPT TO; the noun (mailbox, user,
 * recipient, account, address) must be in the phrase, so that a verb alone ("rejected", "blocked") convicts nobody,
 * and a phrase about "your" address or account is about us.
 */
const RCPT = ['RCPT_TO'] as const;

export const words: readonly Rule[] = [
  {
    id: 'relay-words',
    kind: 'RELAY_REFUSED',
    phases: RCPT,
    codes: [5, 454],
    pattern: anyOf(
      /relay(?:ing)? (?:access )?(?:is )?(?:denied|not (?:permitted|allowed)|prohibited|restricted)/,
      /(?:unable|not (?:permitted|allowed)|cannot|not.{0,12}) to relay/,
      /(?:we )?(?:do not|don't|won't|no) relay/,
      /rcpthosts/,
      /not (?:a )?(?:local|hosted|our) domain/,
      /domain (?:is )?not (?:local|hosted|served|found)/,
      /do(?:es)? not (?:handle|serve|host) .{0,40}domain/,
      /no such domain|domain (?:is )?(?:unknown|invalid)|(?:invalid|unknown) domain/,
      /isn't allowed to relay|relaying disallowed/,
    ),
    example: '550 5.7.1 Unable to relay',
    source: 'Exchange, Exim, Postfix, qmail, Sendmail',
  },
  {
    id: 'null-mx-words',
    kind: 'NO_MAIL_ACCEPTED',
    phases: RCPT,
    codes: [5],
    pattern: /null ?mx|(?:host|domain) does not accept mail/,
    example: '550 Host does not accept mail',
    source: "Sendmail and Postfix, of a recipient's domain with a null MX (RFC 7505 §4.2)",
  },
  {
    id: 'full-words',
    kind: 'MAILBOX_FULL',
    phases: RCPT,
    pattern: anyOf(
      /over (?:\w{1,8} )?quota/,
      /overquota/,
      /quota (?:has been |is )?(?:exceeded|full|exhausted|violation|usage)/,
      /exceed\w* (?:\w{1,10} ){0,3}(?:quota|storage allocation|disk space)/,
      /(?:mailbox|inbox|mailfolder|account|mailbox of \S{1,100}) (?:is |seems )?(?:too )?full\b/,
      /full (?:mailbox|inbox)/,
      /out of (?:storage|disk)? ?space|exhausted .{0,20}(?:storage|space)/,
      /storage (?:is )?full/,
      /mailbox (?:size )?(?:limit )?exceed/,
      /postfach (?:\S{1,20} ){0,3}(?:ist )?(?:\S{1,12} )?voll\b/,
      /speicher(?:volumen|platz) .{0,30}(?:überschritten|ueberschritten|erschöpft|erreicht)/,
      /quota (?:überschritten|erreicht)/,
      /bo[iî]te .{0,50}plein/,
      /quota dépassé/,
      /переполнен|превышен\p{L}* квот|квота .{0,30}(?:превышен|исчерпан)/u,
      /邮箱已满/,
      /容量已满/,
      /空间不足/,
      /(?:buzón|casilla) .{0,20}llen/,
      /casella .{0,20}piena/,
      /容量を超え|容量オーバー/,
      /mailbox is over (?:its|the) (?:limit|quota)/,
    ),
    unless:
      /system storage|server.{0,20}disk|\byou(?:r|'ve| have)\b|(?:daily|hourly|sending|message|recipient) quota/,
    example: '552 Mailbox full',
    source: 'every second server',
  },
  {
    id: 'disabled-words',
    kind: 'MAILBOX_DISABLED',
    phases: RCPT,
    codes: [5],
    pattern: DISABLED,
    unless:
      /\byour (?:account|address|e?-?mail)|sender|database|\buntil\b|hôte|\bserve|(?<![=\w.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d/,
    example:
      '554 delivery error: Sorry, your message to jo@example.com cannot be delivered. This mailbox is disabled (554.30).',
    source: 'Yahoo, mail.ru, 163.com and others',
  },
  {
    id: 'not-found-words',
    kind: 'MAILBOX_NOT_FOUND',
    phases: RCPT,
    codes: [5],
    pattern: NOT_FOUND,
    unless:
      /domain|sender|from address|host|\byour (?:e?-?mail )?address|\bpolic(?:y|ies)\b|\bspam\b|attack|abuse|restrict|not allowed|\bteam\b|headers|address family|too many|try again|database|\berror reading/,
    example: '550 No Such User Here',
    source: 'every server that speaks English',
  },
  {
    id: 'not-found-with-domain-words',
    kind: 'MAILBOX_NOT_FOUND',
    phases: RCPT,
    codes: [5],
    pattern: anyOf(
      /(?:user|recipient|mailbox) (?:unknown|not found)/,
      /no such (?:user|recipient|mailbox)/,
      /unknown (?:user|recipient|mailbox)/,
      /(?:mailbox|user|recipient) does not exist/,
    ),
    unless:
      /sender|access denied|\byour (?:host|ip)|error reading|\bpolic(?:y|ies)\b|\bspam\b|attack|abuse|restrict|not allowed|\bteam\b|headers|too many|not hosted/,
    example: '550 No such user (jo) in domain, said the host',
    source: 'servers that add where they looked',
  },
  {
    id: 'not-found-other-languages',
    kind: 'MAILBOX_NOT_FOUND',
    phases: RCPT,
    codes: [5],
    pattern: NOT_FOUND_ELSEWHERE,
    unless: anyOf(
      /\bip\b|ipアドレス|relay|\bspam\b|blacklist|\bdns\b|extern/,
      /server|serveur|servidor|сервер|服务器|サーバ/,
      /(?<![=\w.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d/,
    ),
    example: '550 Benutzer unbekannt',
    source: 'German, French, Russian, Chinese, Spanish, Italian, Polish and Portuguese servers',
  },
  {
    id: 'mailbox-unavailable',
    kind: 'MAILBOX_NOT_FOUND',
    phases: RCPT,
    codes: [550],
    pattern:
      /(?:^|: ?|not taken,? )mailbox (?:is )?(?:unavailable|not available)(?:[.!]?$| ?[([]| for explanation| or not local|[., -]* ?https?:)/,
    unless:
      /polic|access denied|temporar|\bspam\b|reputation|blocked|try again|later|not allowed|contact|database|unreachable|sender|\byou\b/,
    example: '550 Requested action not taken: mailbox unavailable',
    source:
      'RFC 5321 §4.2.3: 550 means not found, no access or policy; these words name the mailbox, and GMX, web.de, IONOS and Outlook.com document them for unknown recipients. A 550 that names nobody is POLICY',
  },
  {
    id: 'address-rejected-5.1.0',
    kind: 'MAILBOX_NOT_FOUND',
    phases: RCPT,
    codes: [5],
    enhanced: ['5.1.0'],
    pattern: /(?:address|recipient) rejected/,
    example: '550 #5.1.0 Address rejected.',
    source:
      'Cisco Secure Email: not in the recipient access table or the directory; x.1.x is about the address',
  },
  {
    id: 'recipient-policy',
    kind: 'POLICY',
    phases: RCPT,
    codes: [5],
    pattern: anyOf(
      /recipient address rejected: (?:access|relay access) denied/,
      /has a policy that prohibited/,
      /rejection on the target address/,
      /user rules|only accept\w* (?:mail|email|messages) from/,
    ),
    example: '554 5.7.1 <jo@example.com>: Recipient address rejected: Access denied',
    source: 'Postfix check_recipient_access, Gmail, Yandex: a rule of theirs about who may write to whom',
  },
];
