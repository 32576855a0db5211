/**
 * What providers say about which spellings reach one mailbox: a row per provider, each with its source. A spelling is
 * folded only where it is sure to reach the same mailbox, since rows of a list that share a canonical form share one verdict.
 * Left out for want of that: Proton's and Apple's domains (not every account has all of them), Yahoo's keywords (each is
 * set up by hand), Yandex's dot for a hyphen (often told, in no document of theirs that we found).
 */

export type CanonicalRule = {
  /** Its id in the catalog. */
  readonly provider: string;
  /** Mail domains it holds for, in A-label form. */
  readonly domains: readonly string[];
  /** The name that all of `domains` are synonyms of; absent when a mailbox in one need not exist in the others. */
  readonly synonymOf?: string;
  /** Characters of the local part that do not count. */
  readonly ignored?: readonly string[];
  /** What starts the tag; absent when there are none. */
  readonly separator?: '+' | '-';
  /** Must each tag be set up before it works? Then it is an address of its own. Default false. */
  readonly isTagSetUp?: true;
  /** Is `tag@user.example.com` another way to write `user+tag@example.com`? Default false. */
  readonly takesSubdomains?: true;
  readonly source: string;
};

/** All of these take upper and lower case as the same, which RFC 5321 §2.4 leaves to each host. */
export const canonicalRules: readonly CanonicalRule[] = [
  {
    provider: 'GMAIL',
    domains: ['gmail.com', 'googlemail.com'],
    synonymOf: 'gmail.com',
    ignored: ['.'],
    separator: '+',
    source: 'https://support.google.com/mail/answer/7436150 (dots), /10313 (googlemail.com), /22370 (tags)',
  },
  {
    provider: 'OUTLOOK_COM',
    domains: [
      ...['outlook.com', 'hotmail.com', 'live.com', 'msn.com', 'passport.com', 'windowslive.com'],
      ...['outlook.at', 'outlook.be', 'outlook.cl', 'outlook.co.id', 'outlook.co.il', 'outlook.co.nz'],
      ...['outlook.co.th', 'outlook.com.ar', 'outlook.com.au', 'outlook.com.br', 'outlook.com.gr'],
      ...['outlook.com.pe', 'outlook.com.tr', 'outlook.com.vn', 'outlook.cz', 'outlook.de', 'outlook.dk'],
      ...['outlook.es', 'outlook.fr', 'outlook.hu', 'outlook.ie', 'outlook.in', 'outlook.it', 'outlook.jp'],
      ...['outlook.kr', 'outlook.lv', 'outlook.my', 'outlook.ph', 'outlook.pt', 'outlook.sa', 'outlook.sg'],
      ...['outlook.sk', 'hotmail.be', 'hotmail.ca', 'hotmail.ch', 'hotmail.cl', 'hotmail.co.il'],
      ...['hotmail.co.jp', 'hotmail.co.kr', 'hotmail.co.nz', 'hotmail.co.th', 'hotmail.co.uk'],
      ...['hotmail.co.za', 'hotmail.com.ar', 'hotmail.com.au', 'hotmail.com.br', 'hotmail.com.hk'],
      ...['hotmail.com.tr', 'hotmail.com.tw', 'hotmail.com.vn', 'hotmail.cz', 'hotmail.de', 'hotmail.dk'],
      ...['hotmail.es', 'hotmail.fi', 'hotmail.fr', 'hotmail.gr', 'hotmail.hu', 'hotmail.it', 'hotmail.lt'],
      ...['hotmail.lv', 'hotmail.my', 'hotmail.nl', 'hotmail.no', 'hotmail.ph', 'hotmail.rs', 'hotmail.se'],
      ...['hotmail.sg', 'hotmail.sk', 'live.at', 'live.be', 'live.ca', 'live.cl', 'live.cn', 'live.co.kr'],
      ...['live.co.uk', 'live.co.za', 'live.com.ar', 'live.com.au', 'live.com.mx', 'live.com.my'],
      ...['live.com.ph', 'live.com.pt', 'live.com.sg', 'live.de', 'live.dk', 'live.fi', 'live.fr', 'live.hk'],
      ...['live.ie', 'live.in', 'live.it', 'live.jp', 'live.nl', 'live.no', 'live.ru', 'live.se'],
    ],
    separator: '+',
    source:
      'https://learn.microsoft.com/exchange/recipients-in-exchange-online/plus-addressing-in-exchange-online; of Outlook.com: https://en.wikipedia.org/wiki/Email_address#Sub-addressing',
  },
  {
    provider: 'YAHOO',
    domains: [
      ...['yahoo.com', 'ymail.com', 'rocketmail.com', 'myyahoo.com', 'yahoo.at', 'yahoo.be', 'yahoo.bg'],
      ...['yahoo.ca', 'yahoo.ch', 'yahoo.cl', 'yahoo.co.id', 'yahoo.co.il', 'yahoo.co.in', 'yahoo.co.kr'],
      ...['yahoo.co.nz', 'yahoo.co.th', 'yahoo.co.uk', 'yahoo.co.za', 'yahoo.com.ar', 'yahoo.com.au'],
      ...['yahoo.com.br', 'yahoo.com.co', 'yahoo.com.hk', 'yahoo.com.mx', 'yahoo.com.my', 'yahoo.com.pe'],
      ...['yahoo.com.ph', 'yahoo.com.sg', 'yahoo.com.tr', 'yahoo.com.tw', 'yahoo.com.ve', 'yahoo.com.vn'],
      ...['yahoo.cz', 'yahoo.de', 'yahoo.dk', 'yahoo.es', 'yahoo.fi', 'yahoo.fr', 'yahoo.gr', 'yahoo.hr'],
      ...['yahoo.hu', 'yahoo.ie', 'yahoo.in', 'yahoo.it', 'yahoo.lt', 'yahoo.nl', 'yahoo.no', 'yahoo.pl'],
      ...['yahoo.pt', 'yahoo.ro', 'yahoo.se', 'yahoo.sk'],
    ],
    separator: '-',
    isTagSetUp: true,
    source:
      'http://help.yahoo.com/help/uk/bt/tutorials/mail/addressguard2.html (basename-keyword, made one by one; an account has no hyphen)',
  },
  {
    provider: 'ICLOUD',
    domains: ['icloud.com', 'me.com', 'mac.com'],
    separator: '+',
    source:
      'https://en.wikipedia.org/wiki/Email_address#Sub-addressing; who has which domain: https://support.apple.com/118230',
  },
  {
    provider: 'FASTMAIL',
    domains: [
      ...['fastmail.com', 'fastmail.ca', 'fastmail.cn', 'fastmail.co.uk', 'fastmail.com.au', 'fastmail.de'],
      ...['fastmail.es', 'fastmail.fm', 'fastmail.fr', 'fastmail.im', 'fastmail.in', 'fastmail.jp'],
      ...['fastmail.mx', 'fastmail.net', 'fastmail.nl', 'fastmail.org', 'fastmail.se', 'fastmail.to'],
      ...['fastmail.tw', 'fastmail.uk', 'fastmail.us', 'sent.com', 'pobox.com', 'eml.cc', 'f-m.fm'],
      ...[
        'fmail.co.uk',
        'hailmail.net',
        'imap.cc',
        'letterboxes.org',
        'mailcan.com',
        'mm.st',
        'myfastmail.com',
      ],
      ...[
        'speedymail.org',
        'warpmail.net',
        'xsmail.com',
        'airpost.net',
        '123mail.org',
        'ml1.net',
        'nospammail.net',
      ],
    ],
    separator: '+',
    takesSubdomains: true,
    source: 'https://www.fastmail.help/hc/en-us/articles/360060591053',
  },
  {
    provider: 'PROTON',
    domains: ['proton.me', 'protonmail.com', 'protonmail.ch', 'pm.me'],
    ignored: ['.', '-', '_'],
    separator: '+',
    source:
      'https://proton.me/support/addresses-and-aliases; dots, hyphens, underscores: removeEmailAlias in https://github.com/ProtonMail/WebClients',
  },
  {
    provider: 'YANDEX',
    domains: ['yandex.ru', 'ya.ru', 'yandex.com', 'yandex.by', 'yandex.kz', 'yandex.ua', 'yandex.com.tr'],
    synonymOf: 'yandex.ru',
    separator: '+',
    source:
      'https://yandex.com/support/domain/additional/mailbox-alias.xml (domains); tags: https://remontka.com/plyus-adresa-subadresa-v-pochte',
  },
  {
    provider: 'MAIL_RU',
    domains: ['mail.ru', 'bk.ru', 'inbox.ru', 'list.ru', 'internet.ru', 'xmail.ru', 'vk.com'],
    separator: '+',
    source: 'https://remontka.com/plyus-adresa-subadresa-v-pochte',
  },
  {
    provider: 'MAILBOX_ORG',
    domains: ['mailbox.org'],
    separator: '+',
    source: 'https://en.wikipedia.org/wiki/Email_address#Sub-addressing',
  },
  {
    provider: 'POSTEO',
    domains: ['posteo.de', 'posteo.net', 'posteo.org', 'posteo.eu', 'posteo.at', 'posteo.ch', 'posteo.us'],
    separator: '+',
    source:
      'https://wp.jochen.hayek.name/blog-en/2010/10/02/e-mail-addresses-and-plussing (which also says that GMX has none)',
  },
  {
    provider: 'RUNBOX',
    domains: ['runbox.com'],
    separator: '+',
    source: 'https://en.wikipedia.org/wiki/Email_address#Sub-addressing',
  },
  {
    provider: 'GMX',
    domains: [
      ...['gmx.net', 'gmx.de', 'gmx.at', 'gmx.ch', 'gmx.com', 'gmx.co.uk', 'gmx.es', 'gmx.fr', 'gmx.eu'],
      ...['gmx.info', 'gmx.biz', 'gmx.org', 'gmx.us', 'gmx.li', 'gmx.ca', 'gmx.ie', 'gmx.pt', 'gmx.hk'],
    ],
    source: 'https://wp.jochen.hayek.name/blog-en/2010/10/02/e-mail-addresses-and-plussing (no tags)',
  },
];
