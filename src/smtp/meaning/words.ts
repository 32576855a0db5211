import type { Rule } from './rule.ts';

/**
 * Phrases, for codes that name only a family of causes or are missing. Said to RCPT TO; the noun (mailbox, user,
 * recipient, account, address) must be in the phrase, so that a verb alone ("rejected", "blocked") convicts nobody.
 */
const RCPT = ['RCPT_TO'] as const;

export const words: readonly Rule[] = [
  {
    id: 'relay-words',
    kind: 'RELAY_REFUSED',
    phases: RCPT,
    codes: [5],
    pattern:
      /relay(?:ing)? (?:access )?(?:is )?(?:denied|not (?:permitted|allowed)|prohibited|restricted)|(?:unable|not (?:permitted|allowed)|cannot|not.{0,12}) to relay|(?:we )?(?:do not|don't|won't|no) relay|rcpthosts|not (?:a )?(?:local|hosted|our) domain|domain (?:is )?not (?:local|hosted|served|found)|do(?:es)? not (?:handle|serve|host) .{0,40}domain|isn't allowed to relay/,
    example: '550 5.7.1 Unable to relay',
    source: 'Exchange, Exim, Postfix, qmail, Sendmail',
  },
  {
    id: 'full-words',
    kind: 'MAILBOX_FULL',
    phases: RCPT,
    pattern:
      /over (?:\w{1,8} )?quota|overquota|quota (?:has been |is )?(?:exceeded|full|exhausted|violation|usage)|exceed\w* (?:\w{1,10} ){0,3}(?:quota|storage allocation|disk space)|(?:mailbox|inbox|mailfolder|account|mailbox of \S{1,100}) (?:is |seems )?(?:too )?full\b|full (?:mailbox|inbox)|out of (?:storage|disk)? ?space|storage (?:is )?full|mailbox (?:size )?(?:limit )?exceed|postfach (?:ist )?(?:\w{1,8} )?voll|quota (?:überschritten|erreicht)|boîte (?:aux lettres )?(?:\S{1,20} )?pleine|boite (?:\S{1,20} )?(?:\S{1,20} )?pleine|quota dépassé|ящик .{0,30}переполнен|переполнен|квот|邮箱已满|容量已满|空间不足|(?:buzón|casilla) .{0,20}llen|casella .{0,20}piena/u,
    unless: /system storage|server.{0,20}disk/,
    example: '552 Mailbox full',
    source: 'every second server',
  },
  {
    id: 'disabled-words',
    kind: 'MAILBOX_DISABLED',
    phases: RCPT,
    codes: [5],
    pattern:
      /(?:mailbox|account|user|address|recipient|email)(?: \S{1,100})? (?:is |has been |was |currently |temporarily |temporary |permanently |now |been ){0,4}(?:disabled|deactivated|suspended|inactive|locked|frozen|closed|terminated|expired|discontinued|retired)\b|(?:disabled|inactive|suspended|deactivated|closed|locked|frozen) (?:mailbox|account|user|recipient|address)|(?:mailbox|account|user|address) (?:is )?(?:not|no longer) (?:active|in use|in service|enabled|activated)|no longer accepts? (?:mail|email|messages)|disableduser|konto (?:ist )?(?:gesperrt|deaktiviert)|postfach (?:ist )?(?:gesperrt|deaktiviert|inaktiv)|compte (?:est )?(?:désactivé|desactive|suspendu|bloqué|fermé)|(?:ящик|пользовател\p{L}+|аккаунт|учетная запись) .{0,20}(?:заблокирован|отключ|удал)|(?:帐号|账号|邮箱|用户).{0,6}(?:禁用|停用|冻结|锁定)/u,
    example:
      '554 delivery error: Sorry, your message to jo@example.com cannot be delivered. This mailbox is disabled (554.30).',
    source: 'Yahoo, mail.ru, 163.com and others',
  },
  {
    id: 'not-found-words',
    kind: 'MAILBOX_NOT_FOUND',
    phases: RCPT,
    codes: [5],
    pattern:
      /(?:user|recipient|mailbox|address|account|addressee|alias|local ?part|person|customer|subscriber)(?: \S{1,100})? (?:is |was |does |has been ){0,2}(?:unknown|not (?:found|known|exist|exists|a (?:valid|known)|valid|recognized|available here|here|listed|present|in (?:our|the|my))|non-?existent|invalid|unrecognized)|(?:unknown|invalid|no such|nonexistent|non-existent|unrecognized|bad|wrong|incorrect) (?:e-?mail |destination |local |or (?:invalid|illegal|inactive) |virtual )*(?:user|recipient|mailbox|address|account|addressee|alias|local.?part|rcpt|person|id\b)|(?:does not|doesn't|doesnt|do not|don't|did not|not) (?:seem to )?(?:exist|have an? .{1,40}account)|no (?:mailbox|mail box|mail-box|account|user|one|body) (?:here|by that|with that|at this|found|available|named)|not (?:a|our) (?:valid |known |local |active )?(?:user|recipient|mailbox|address|account|customer|email)|(?:isn't|is not) (?:a )?(?:valid|known|local|listed|recognized)|there is no (?:one|such|user)|address (?:unknown|invalid|not found)|userunknown|nosuchuser|recipient ?not ?found|name not (?:known|found)|badrcptto|validrcptto/,
    unless: /domain|sender|from address|host/,
    example: '550 No Such User Here',
    source: 'every server that speaks English',
  },
  {
    id: 'not-found-with-domain-words',
    kind: 'MAILBOX_NOT_FOUND',
    phases: RCPT,
    codes: [5],
    pattern:
      /(?:user|recipient|mailbox) (?:unknown|not found)|no such (?:user|recipient|mailbox)|unknown (?:user|recipient|mailbox)|(?:mailbox|user|recipient) does not exist/,
    example: '550 No such user (jo) in domain, said the host',
    source: 'servers that add where they looked',
  },
  {
    id: 'not-found-other-languages',
    kind: 'MAILBOX_NOT_FOUND',
    phases: RCPT,
    codes: [5],
    pattern:
      /unbekannte[rn]? (?:empfänger|benutzer|adresse)|(?:empfänger|benutzer|adresse|postfach|mailbox) (?:\S{1,60} )?(?:ist )?(?:\S{1,12} )?(?:unbekannt|existiert nicht|nicht (?:gefunden|bekannt|vorhanden|verfügbar))|(?:utilisateur|destinataire|adresse|compte|boîte) (?:\S{1,60} )?(?:\S{1,12} )?(?:inconnue?|inexistante?|invalide|n'existe pas|introuvable)|adresse d.{0,3} au moins un destinataire invalide|(?:пользовател\p{L}+|адресат\p{L}*|получател\p{L}+|ящик\p{L}*|адрес\p{L}*) .{0,40}(?:не (?:найден|существует|зарегистрирован|обнаружен)|неизвестен)|нет такого (?:пользователя|адреса|ящика)|такого .{0,30}не существует|(?:用户|收件人|邮箱|帐号|账号|地址).{0,8}(?:不存在|未找到|无效|找不到)|找不到(?:用户|收件人|邮箱)|(?:usuario|destinatario|buzón|cuenta) .{0,30}(?:desconocido|no existe|inexistente)|no existe (?:ese|dicha|el) |(?:utente|destinatario|casella|indirizzo) .{0,30}(?:sconosciuto|inesistente|non esiste)|destinat\w{2,5} sconosciut|nie ma takiego|nie istnieje|não existe|usuário desconhecido/u,
    example: '550 Benutzer unbekannt',
    source: 'German, French, Russian, Chinese, Spanish, Italian, Polish and Portuguese servers',
  },
  {
    id: 'mailbox-unavailable',
    kind: 'MAILBOX_NOT_FOUND',
    phases: RCPT,
    codes: [550],
    pattern:
      /mailbox (?:is )?(?:unavailable|not available)|(?:address|recipient) rejected\.?$|not accepted for delivery|^#5\.1\.0 address rejected/,
    unless: /polic|access denied|temporar|spam|reputation|blocked|try again|later/,
    example: '550 Requested action not taken: mailbox unavailable',
    source:
      'RFC 5321 §4.2.3: 550 at RCPT; the words name the mailbox, and nobody else. GMX, web.de and Outlook.com say it of unknown recipients',
  },
];
