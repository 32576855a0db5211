/** What providers say about which spellings reach one mailbox. A row per provider, each with its source. */

export type CanonicalRule = {
  readonly provider: string;
  /** Mail domains it holds for, in A-label form. */
  readonly domains: readonly string[];
  /** The name that all of `domains` are synonyms of; absent when one name's mailbox need not exist at the others. */
  readonly synonymOf?: string;
  /** Characters of the local part that do not count. */
  readonly ignored?: readonly string[];
  /** Characters that count as another one. */
  readonly folded?: { readonly from: string; readonly to: string };
  /** What starts the tag; absent when there are no tags. */
  readonly separator?: '+' | '-';
  /** True when every tag reaches the mailbox; false when each has to be set up, so that it is an address of its own. */
  readonly isTagFree?: boolean;
  /** `tag@user.example.com` is `user+tag@example.com`. */
  readonly takesSubdomains?: boolean;
  readonly source: string;
};

/** All of them take upper and lower case as the same, which RFC 5321 §2.4 leaves to each host. */
export const canonicalRules: readonly CanonicalRule[] = [
  {
    provider: 'Gmail',
    domains: ['gmail.com', 'googlemail.com'],
    synonymOf: 'gmail.com',
    ignored: ['.'],
    separator: '+',
    isTagFree: true,
    source: 'https://support.google.com/mail/answer/7436150, https://support.google.com/mail/answer/10313',
  },
  {
    provider: 'Outlook.com',
    domains: ['outlook.com', 'hotmail.com', 'live.com', 'msn.com'],
    separator: '+',
    isTagFree: true,
    source:
      'https://learn.microsoft.com/exchange/recipients-in-exchange-online/plus-addressing-in-exchange-online',
  },
  {
    provider: 'Fastmail',
    domains: ['fastmail.com', 'fastmail.fm'],
    separator: '+',
    isTagFree: true,
    takesSubdomains: true,
    source: 'https://www.fastmail.help/hc/en-us/articles/360060591053',
  },
];
