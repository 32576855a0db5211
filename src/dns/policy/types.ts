import type { DomainName } from '../../address/index.ts';
import type { DnsFailure } from '../types.ts';

/** Nobody could tell what the domain publishes. No record at all is `null` instead. */
export type PolicyFailure = { readonly kind: 'failure'; readonly failure: DnsFailure };

export type SpfPolicy = {
  readonly kind: 'policy';
  /** As published, strings joined; several, which is a fault, one a line. */
  readonly record: string;
  /** False when an evaluator would give permerror (RFC 7208 §2.6.7). */
  readonly isValid: boolean;
  /**
   * What `all` says about hosts that nothing else matched, redirects followed. NEUTRAL without any `all`
   * (RFC 7208 §4.7); null when the record is invalid or its redirect leads nowhere that can be read.
   */
  readonly allQualifier: 'PASS' | 'FAIL' | 'SOFTFAIL' | 'NEUTRAL' | null;
  /** One sentence: the first fault, or what keeps the record from being judged whole. */
  readonly problem: string | null;
};

export type DmarcDisposition = 'NONE' | 'QUARANTINE' | 'REJECT';

export type DmarcPolicy = {
  readonly kind: 'policy';
  /** As published, strings joined; several, which is a fault, one a line. */
  readonly record: string;
  /** Where the record stands: the domain itself, or its organisational domain (RFC 7489 §6.6.3). */
  readonly domain: DomainName;
  readonly isValid: boolean;
  /** What `p` asks for; null when receivers apply no DMARC at all. */
  readonly policy: DmarcDisposition | null;
  /** What `sp` asks for, `p` when there is none (RFC 7489 §6.3). It rules when `domain` is the organisational one. */
  readonly subdomainPolicy: DmarcDisposition | null;
  readonly problem: string | null;
};

export type TlsRptPolicy = { readonly kind: 'policy'; readonly record: string };

export type MtaStsPolicy = {
  readonly kind: 'policy';
  /** Of the TXT record; null when it is malformed. */
  readonly id: string | null;
  /** Null, as `maxAge`, when the policy file could not be had or read; `problem` then says why. */
  readonly mode: 'ENFORCE' | 'TESTING' | 'NONE' | null;
  /** Seconds. */
  readonly maxAge: number | null;
  /** Host names, or `*.` and a name; A-labels in lower case. */
  readonly mx: readonly string[];
  readonly problem: string | null;
};
