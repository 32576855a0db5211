/**
 * The domains that people mean, most used first: of two that are equally near the earlier is meant. With some names a change
 * of a letter makes another word that somebody may own (`proton`, `photon`; `naver`, `never`): of those, and of names
 * of fewer than five letters, only the ending is ever corrected.
 */
const words: readonly string[] = [
  ...[
    'proton',
    'orange',
    'libero',
    'naver',
    'charter',
    'earthlink',
    'inbox',
    'laposte',
    'posteo',
    'email',
    'walla',
  ],
];

export type WellKnownDomain = {
  readonly domain: string;
  /** What stands before the first dot. */
  readonly label: string;
  /** What stands after it. */
  readonly suffix: string;
  /** Mistakes in the label that are still read as this one: 0, 1, or 2 for a name of nine letters or more. */
  readonly mostEdits: 0 | 1 | 2;
};

const names: readonly string[] = [
  ...['gmail.com', 'yahoo.com', 'hotmail.com', 'outlook.com', 'icloud.com', 'aol.com', 'live.com', 'msn.com'],
  ...['googlemail.com', 'ymail.com', 'me.com', 'mac.com', 'protonmail.com', 'proton.me', 'gmx.de', 'web.de'],
  ...['gmx.net', 'gmx.at', 'gmx.ch', 'gmx.com', 't-online.de', 'freenet.de', 'mail.com', 'email.com'],
  ...['mail.ru', 'yandex.ru', 'yandex.com', 'bk.ru', 'list.ru', 'inbox.ru', 'rambler.ru', 'ukr.net'],
  ...['orange.fr', 'wanadoo.fr', 'free.fr', 'sfr.fr', 'laposte.net', 'hotmail.fr', 'yahoo.fr', 'live.fr'],
  ...['hotmail.co.uk', 'yahoo.co.uk', 'live.co.uk', 'btinternet.com', 'virginmedia.com', 'sky.com'],
  ...[
    'libero.it',
    'virgilio.it',
    'tiscali.it',
    'alice.it',
    'hotmail.it',
    'yahoo.it',
    'hotmail.es',
    'yahoo.es',
  ],
  ...['hotmail.de', 'yahoo.de', 'outlook.de', 'posteo.de', 'wp.pl', 'o2.pl', 'onet.pl', 'interia.pl'],
  ...['seznam.cz', 'centrum.cz', 'abv.bg', 'comcast.net', 'verizon.net', 'att.net', 'sbcglobal.net'],
  ...['bellsouth.net', 'cox.net', 'charter.net', 'earthlink.net', 'optonline.net', 'rocketmail.com'],
  ...['fastmail.com', 'zoho.com', 'hey.com', 'tutanota.com', 'shaw.ca', 'rogers.com', 'sympatico.ca'],
  ...[
    'bigpond.com',
    'optusnet.com.au',
    'yahoo.com.au',
    'yahoo.com.br',
    'uol.com.br',
    'bol.com.br',
    'terra.com.br',
  ],
  ...['hotmail.com.br', 'yahoo.com.mx', 'hotmail.com.mx', 'yahoo.co.in', 'rediffmail.com', 'yahoo.co.jp'],
  ...['qq.com', '163.com', '126.com', 'foxmail.com', 'naver.com', 'hanmail.net', 'daum.net'],
  ...['telenet.be', 'skynet.be', 'ziggo.nl', 'kpnmail.nl', 'bluewin.ch', 'walla.co.il'],
];

export const wellKnownDomains: readonly WellKnownDomain[] = names.map((domain) => {
  const dot = domain.indexOf('.');
  const label = domain.slice(0, dot);
  const isWord = label.length < 5 || words.includes(label);
  return {
    domain,
    label,
    suffix: domain.slice(dot + 1),
    mostEdits: isWord ? 0 : label.length < 9 ? 1 : 2,
  };
});

/** The endings that an unknown top-level domain is corrected to. */
export const wellKnownTlds: readonly string[] = ['com', 'net', 'org'];
