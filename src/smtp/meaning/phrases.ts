import { anyOf } from './rule.ts';

/**
 * What is said of a mailbox in words, for `words`, where they decide, and for `codes`, where they confirm. The noun is
 * in the phrase, so that a verb alone convicts nobody.
 */
export const NOT_FOUND = anyOf(
  /(?:address|recipient|user|mailbox|account) could not be found/,
  /(?:user|recipient|mailbox|address|account|addressee|alias|local ?part|person|customer|subscriber)(?: \S{1,100})? (?:is |was |does |has been ){0,2}(?:unknown|not (?:found|known|exist|exists|a (?:valid|known)|valid|recognized|available here|here|listed|present|in (?:our|the|my))|non-?existent|invalid|unrecognized)/,
  /(?:unknown|invalid|no such|nonexistent|non-existent|unrecognized|bad|wrong|incorrect) (?:e-?mail |destination |local |or (?:invalid|illegal|inactive) |virtual )*(?:user|recipient|mailbox|address|account|addressee|alias|local.?part|rcpt|person|id\b)/,
  /(?:user|recipient|mailbox|address|account|alias|email|reach)\b.{0,120} (?:does not|doesn't|doesnt|don't|didn't|not) (?:seem to )?exist/,
  /^(?:\S{1,30} )?(?:does not|doesn't|doesnt) exist|exists? that user|non-?existent (?:user|account|mailbox)/,
  /doesn't have an? .{0,40}account/,
  /no (?:mailbox|mail box|mail-box|account|user|one|body) (?:here|by that|with that|at this|found|available|named)/,
  /not (?:a|our) (?:valid |known |local |active )?(?:user|recipient|mailbox|address|account|customer|email)/,
  /(?:isn't|is not) (?:a )?(?:valid|known|local|registered) (?:user|recipient|mailbox|address|gateway user|customer)/,
  /unrouteable address|recipient (?:does not|doesn't) exist/,
  /there is no (?:one|such|user)/,
  /address (?:unknown|invalid|not found)/,
  /userunknown/,
  /nosuchuser/,
  /recipient ?not ?found/,
  /validrcptto|not our (?:user|customer)/,
);

/** German, French, Russian, Chinese, Japanese, Spanish, Italian, Polish, Portuguese. */
export const NOT_FOUND_ELSEWHERE = anyOf(
  /unbekannte[rn]? (?:empfänger|benutzer|adresse)/,
  /kein(?:en)? (?:postfach|benutzer|empfänger) (?:mit|namens|unter)/,
  /(?:empfänger(?:adresse)?|adressat|benutzer|adresse|postfach|mailbox) (?:\S{1,60} )?(?:ist )?(?:\S{1,12} )?(?:unbekannt|ungültig|existiert nicht|nicht (?:gefunden|bekannt|vorhanden|verfügbar))/,
  /(?:utilisateur|destinataire|adresse|compte|boîte) (?:\S{1,60} )?(?:\S{1,12} )?(?:inconnue?|inexistante?|invalide|n'existe pas|introuvable)/,
  /adresse d.{0,3} au moins un destinataire invalide/,
  /(?:пользовател\p{L}+|адресат\p{L}*|получател\p{L}+|ящик\p{L}*|адрес\p{L}*) .{0,40}(?:не (?:найден|существует|зарегистрирован|обнаружен)|неизвестен)/u,
  /неизвестн\p{L}{2} (?:получател|пользовател|адресат)/u,
  /нет такого (?:пользователя|адреса|ящика)|такого (?:пользователя|адреса|ящика) нет/,
  /такого .{0,30}не существует/,
  /(?:用户|收件人|邮箱|帐号|账号|帐户|账户|(?<!服务器)地址).{0,8}(?:不存在|未找到|无效|找不到)/,
  /找不到(?:用户|收件人|邮箱)/,
  /(?:无此|没有该|没有此|查无此)(?:用户|收件人|邮箱|帐号|账号|人)/,
  /(?:宛先|受信者|ユーザー?|アドレス|メールボックス|アカウント).{0,14}(?:存在しません|見つかりません|不明)/,
  /(?:usuario|destinatario|buzón|cuenta) .{0,30}(?:desconocido|no existe|inexistente|no encontrad)/,
  /no existe (?:ese|dicha|el) /,
  /(?:utente|destinatario|casella|indirizzo) .{0,30}(?:sconosciuto|inesistente|non esiste)/,
  /destinat\w{2,5} sconosciut/,
  /nie ma takiego/,
  /nie istnieje/,
  /não existe/,
  /usuário desconhecido/,
);

export const DISABLED = anyOf(
  /(?:mailbox|account|user|address|recipient|email)(?: \S{1,100})? (?:is |has been |was |currently |temporarily |temporary |permanently |now |been ){0,4}(?:disabled|deactivated|suspended|inactive|locked|frozen|closed|terminated|expired|discontinued|retired)\b/,
  /(?:disabled|inactive|suspended|deactivated|closed|locked|frozen) (?:mailbox|account|user|recipient|address)/,
  /(?:mailbox|account|user|address) (?:is )?(?:not|no longer) (?:active|in use|in service|enabled|activated)/,
  /no longer accepts? (?:mail|email|messages)/,
  /disableduser/,
  /konto (?:ist |wurde )?(?:gesperrt|deaktiviert)/,
  /postfach (?:ist )?(?:gesperrt|deaktiviert|inaktiv)/,
  /(?:cuenta|buzón) .{0,20}(?:deshabilitad|desactivad|suspendid|bloquead|inactiv)/,
  /(?:アカウント|メールボックス).{0,6}(?:無効|停止)/,
  /compte .{0,30}(?:désactiv|desactiv|suspendu|bloqu|fermé)|bo[iî]te .{0,40}archiv/,
  /recipient(?:'s)? account is blocked/,
  /(?:ящик|пользовател\p{L}+|аккаунт|уч[её]тная запись) .{0,20}(?:заблокирован|отключ|удал)/u,
  /(?:帐号|账号|邮箱|用户).{0,6}(?:禁用|停用|冻结|锁定)/,
);

/**
 * Words that do not belong into "no such mailbox": somebody or something else is spoken of, or the mailbox is there and
 * takes no mail from us. A code beside them convicts nobody.
 */
export const DOUBTS = anyOf(
  /polic|permi(?:ssion|tted)|authori[sz]|allow|accept|\bonly\b|requires?\b|filter|restrict|\brules?\b|\baccess\b|\bgroup\b|\blists?\b|subject|encrypt|vacation/,
  /sender|server|\bhost|\bdns\b|\bhelo\b|\behlo\b|\bfrom\b|\bip\b|\byou\b|\byour\b/,
  /block|banned|refus|denied|spam|virus|reputation|abuse|exceed|limit|quota/,
  /tim(?:e|ed) ?out|error|problem|database|locked|again|later|network|extern|unable|cannot|can't|could not|couldn't|migrat|maintenance|busy|unavailable/,
  /(?<![=\w.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d/,
  /\bnur\b|akzeptiert|nimmt keine|außerhalb|\bintern|gesperrt|verweigert|abgelehnt/,
  /accepte|interne|hôte|serveur|bloqu|refus/,
  /принимает|только|сервер|отклон|заблок|запрещ/,
  /拒|服务器|仅限|只接受|サーバ|のみ|制限/,
  /acept|\bsolo\b|servidor|rechaz|bloque/,
);
