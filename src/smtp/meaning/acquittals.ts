import { anyOf, type Rule } from './rule.ts';

/**
 * Words that acquit the mailbox, whatever the code beside them says: it is there and takes mail from few, or nobody
 * could look, or we were to log in first. Servers hang such texts on 5.1.1 and 5.2.1, which alone would convict, so these
 * are tried before the codes. When text and code contradict each other, the verdict is that we do not know.
 */
const RCPT = ['RCPT_TO'] as const;

export const acquittals: readonly Rule[] = [
  {
    id: 'class-4-enhanced',
    kind: 'TEMPORARY',
    codes: [5],
    enhanced: ['4.x.x'],
    example: '550 4.2.1 Mailbox temporarily disabled',
    source: 'RFC 2034 §4: the classes must agree; where they do not, the gentler one is believed',
  },
  {
    id: 'could-not-look',
    kind: 'TEMPORARY',
    phases: RCPT,
    codes: [5],
    pattern: anyOf(
      /temporar(?:y|ily) (?:\w{1,12} )?(?:failure|unavailable|not available|error|problem|issue|lookup|unable|out of)/,
      /(?:try|retry) (?:again |it )?(?:later|in (?:a|some|\d))|at this time|at the moment/,
      /look.?up (?:has )?(?:failed|failure|error|timed? ?out)/,
      /(?:could not|cannot|can't|unable to|failed to) (?:be )?(?:verif\w{1,3}|look ?up|check|query)/,
      /(?:directory|ldap|database|backend|account) (?:server |service )?(?:is )?(?:unavailable|not reachable|not available|unreachable|down|offline|error)/,
      /: database error|internal (?:server )?error|host (?:is )?unreachable|connection (?:refused|timed out)/,
      /vorübergehend|zur ?zeit|derzeit|momentan|später/,
      /temporairement|plus tard|réessay/,
      /временн|позже|повторите/u,
      /temporalmente|más tarde/,
      /temporaneamente|più tardi/,
      /暂时|稍后/,
      /一時的|しばらく/,
    ),
    unless:
      /(?:account|mailbox|user|address) (?:is |has been )?temporarily (?:disabled|suspended|locked)|\b(?:lookup success|no user record)/,
    example: '550 5.1.1 Recipient address rejected: temporary failure, LDAP server unavailable',
    source: 'servers whose directory is down and that say 5xx all the same',
  },
  {
    id: 'relay-in-spite-of-code',
    kind: 'RELAY_REFUSED',
    phases: RCPT,
    codes: [5],
    enhanced: ['5.1.x', '5.4.x', '5.7.x'],
    pattern:
      /domain (?:is )?not (?:hosted|local|served|handled|here)|not hosted (?:here|on)|no such domain|(?:do(?:es)? not|don't|won't) relay|relay(?:ing)? (?:is )?not (?:permitted|allowed)|relaying (?:is )?(?:denied|disallowed)/,
    unless: /ip name lookup|\bptr\b/,
    example: '550 5.1.1 Domain example.com is not hosted here',
    source: 'hosting servers: this exchange does not know the domain, so it cannot know the mailbox',
  },
  {
    id: 'authentication-required',
    kind: 'AUTH_REQUIRED',
    phases: ['MAIL_FROM', 'RCPT_TO'],
    codes: [530, 535, 550, 553, 554, 503],
    pattern:
      /authentication (?:is )?required|not (?:been )?authenticated|not logged in|log ?in first|smtp auth/,
    unless: /relay/,
    example: '550 5.1.1 Authentication required to send to this user',
    source: 'RFC 4954 §6; said at RCPT TO with any code',
  },
  {
    id: 'one-or-the-other',
    kind: 'POLICY',
    phases: RCPT,
    codes: [5],
    pattern: anyOf(
      /\bor (?:\w{1,12} ){0,2}(?:not (?:permitted|allowed|authori[sz]ed|accepting)|access denied|insufficient|restricted|refused|blocked)/,
      /\boder (?:zugriff|nicht (?:erlaubt|berechtigt|zugelassen)|abgelehnt|geblockt)/,
      /\bou (?:non autoris|refus|bloqu|accès)/,
      /\bo (?:no (?:acepta|permite|autoriz)|acceso|bloquead)/,
      /или (?:не принимает|запрещ|доступ|отклон)/,
      /或.{0,4}(?:拒|无权|限制)/,
      /しないか.{0,6}(?:拒否|制限)/,
    ),
    example: '550 5.7.1 user not found or not permitted to receive external mail',
    source: 'Google Groups, Microsoft 5.7.129, docomo: says on purpose that it is one or the other',
  },
  {
    id: 'takes-mail-from-few',
    kind: 'POLICY',
    phases: RCPT,
    codes: [5],
    pattern: anyOf(
      /only (?:accepts?|receives?|takes?|allows?) (?:\w{1,10} )?(?:mail|e-?mails?|messages) (?:from|by|of)/,
      /(?:does not|doesn't|do not|not|cannot|can't|won't) (?:\w{1,10} )?(?:accept|receive|want|allow|take)\w* (?:any |unsolicited |external )?(?:mail|e-?mails?|messages) (?:from|without|to)/,
      /from (?:unknown|external|outside|unapproved|unauthori[sz]ed|untrusted) (?:senders?|sources?|domains?)/,
      /(?:mail|messages|senders?) from (?:outside|external)/,
      /(?:known|approved|authori[sz]ed|trusted) senders|(?:safe|allow|allowed|approved|white)[- ]?(?:senders? )?list/,
      /internal (?:use|mail|senders?|users?|recipients?) ?only|internal use/,
      /(?:only|non-?) ?members|members only|members? (?:may|can) post|not (?:a )?(?:member|subscribe)|moderated/,
      /without prior (?:registration|approval|consent)|challenge|parental/,
      /(?:recipient|user|owner|addressee) (?:has )?(?:blocked|refused|rejected|rejects|refuses|blocks) (?:your|the|this|mail|you|all)/,
      /\b(?:receiving|reception|receipt|delivery)\b.{0,40} (?:restricted|prohibited|limited|disabled by)/,
    ),
    unless:
      /\b(?:user|recipient|mailbox|account|address) (?:is )?(?:unknown|not found|does not exist)[.! ]*$/,
    example: '550 5.2.1 <jo@example.com>: this mailbox does not accept messages from unknown senders',
    source:
      'mailing lists, Exchange rules, filters of the recipient: the mailbox is there, or nothing is said of it',
  },
  {
    id: 'policy-in-spite-of-code',
    kind: 'POLICY',
    phases: RCPT,
    codes: [5],
    enhanced: ['5.0.x', '5.1.x', '5.2.x', '5.4.x', '5.5.x'],
    pattern: anyOf(
      /polic(?:y|ies) (?:that )?(?:prohibit|violation|reject|restrict|refus|den)|policy reasons/,
      /(?:due to|by|violates?|against|for|under) (?:\w{1,10} )?polic(?:y|ies)\b/,
      /content (?:is |was |has been )?(?:rejected|refused|blocked|not accepted)|virus|malware|\bspam\b/,
    ),
    example: '550 5.2.1 The email account that you tried to reach has a policy that prohibits this mail',
    source: 'filters that answer with the code of a mailbox; with 5.7.x the same words are about us',
  },
];
