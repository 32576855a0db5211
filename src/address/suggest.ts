/**
 * What was probably meant, when a domain looks mistyped. A wrong suggestion shown to somebody whose address is right costs
 * more than a missing one, so:
 *
 *  - a domain that is known is never corrected;
 *  - the first letter is taken to be right (or swapped with the second), which keeps `mail`, `email` and `ymail` from
 *    becoming `gmail`, and `cloud` from becoming `icloud`; nine letters and more may also start wrong;
 *  - names of five to eight letters may have one mistake, longer ones two, shorter ones and words none (`well-known.ts`);
 *  - the ending may have one mistake more. Where it is an ending that exists (`.co`, `.cm`, `.om`, `.ne`) it is only
 *    corrected behind a name of five letters or more that is no word: `gmail.co` is, `live.co` and `mail.co` are not;
 *  - with any other name only an ending that does not exist is corrected: `example.con`, never `example.co`.
 *
 * Measured (`test/address/suggest.test.ts`): of the 14,125 disposable and freemail domains of the packages 12 get a
 * suggestion, and nine of these are plain misspellings; a domain that gets none costs about 3 µs.
 */
import { parse } from 'tldts';
import { countEdits } from './distance.ts';
import type { DomainName, EmailAddress } from './types.ts';
import { wellKnownDomains, wellKnownTlds } from './well-known.ts';

/** The domain that was probably meant; null when nothing looks mistyped. */
export const suggestDomain = (
  domain: DomainName,
  isKnownDomain: (domain: DomainName) => boolean,
): string | null =>
  isKnownDomain(domain) ? null : (nearestWellKnown(domain, isKnownDomain) ?? correctTld(domain));

/** The address that was probably meant, printed; null when nothing looks mistyped. */
export const suggestAddress = (
  { domain, localPart }: EmailAddress,
  isKnownDomain: (domain: DomainName) => boolean,
): string | null => {
  const meant = suggestDomain(domain, isKnownDomain);
  return meant === null ? null : `${localPart}@${meant}`;
};

const nearestWellKnown = (
  domain: DomainName,
  isKnownDomain: (domain: DomainName) => boolean,
): string | null => {
  const dot = domain.indexOf('.');
  const label = domain.slice(0, dot);
  const suffix = domain.slice(dot + 1);
  let nearest: string | null = null;
  let fewest = Number.POSITIVE_INFINITY;
  for (const known of wellKnownDomains) {
    const labelEdits = countLabelEdits(label, known.label, known.mostEdits);
    if (labelEdits > known.mostEdits) continue;
    // The label in the country that was typed, where the provider is there too: `hotmial.nl`.
    const abroad = `${known.label}.${suffix}` as DomainName;
    const isAbroad = labelEdits > 0 && suffix !== known.suffix && isKnownDomain(abroad);
    const suffixEdits = isAbroad ? 0 : countEdits(suffix, known.suffix, 1);
    if (suffixEdits > 1 || (suffixEdits === 1 && known.mostEdits === 0 && isRealSuffix(domain, suffix)))
      continue;
    const edits = labelEdits + suffixEdits;
    if (edits > 0 && edits < fewest) {
      fewest = edits;
      nearest = isAbroad ? abroad : known.domain;
    }
  }
  return nearest;
};

const countLabelEdits = (label: string, known: string, most: number): number => {
  if (label === known) return 0;
  if (most === 0 || Math.abs(label.length - known.length) > most) return most + 1;
  const startsRight =
    label.charCodeAt(0) === known.charCodeAt(0) ||
    (label.charCodeAt(0) === known.charCodeAt(1) && label.charCodeAt(1) === known.charCodeAt(0));
  return startsRight || known.length >= 9 ? countEdits(label, known, most) : most + 1;
};

const isRealSuffix = (domain: string, suffix: string): boolean => {
  const { isIcann, publicSuffix } = parse(domain, { extractHostname: false, validateHostname: false });
  return isIcann === true && publicSuffix === suffix;
};

const correctTld = (domain: DomainName): string | null => {
  const dot = domain.lastIndexOf('.');
  const tld = domain.slice(dot + 1);
  if (tld.length < 3 || tld.length > 4 || wellKnownTlds.includes(tld)) return null;
  const meant = wellKnownTlds.filter((known) => countEdits(tld, known, 1) === 1);
  // Two that are equally near are no suggestion.
  if (meant.length !== 1 || isRealSuffix(`name.${tld}`, tld)) return null;
  return `${domain.slice(0, dot)}.${meant[0]}`;
};
