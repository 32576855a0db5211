/** What a key allows: to verify single addresses, to work with lists, or everything and everybody's. */
export const scopes = ['verify', 'bulk', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** SECRET keys stay on servers; PUBLISHABLE ones stand in the source of a web page. */
export type KeyKind = 'SECRET' | 'PUBLISHABLE';

export type ApiKey = {
  /** A UUID, version 4: what jobs and uploads name as their owner. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  readonly kind: KeyKind;
  /** The beginning of its text, enough to tell it from others and too little to use it. */
  readonly prefix: string;
  readonly scopes: readonly Scope[];
  /** Of the pages that may use it, as browsers write them; empty for a secret key. */
  readonly origins: readonly string[];
  /** Points of cost a minute, which is also the most that its bucket holds; of a publishable key, for each client. */
  readonly pointsPerMinute: number;
  /** Does nothing run for it but persisted operations? */
  readonly isPersistedOnly: boolean;
  readonly createdAt: Date;
  /** Null: it does not end by itself. */
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  /** Within a minute or so; null: never. */
  readonly lastUsedAt: Date | null;
};

/** As it is kept: its text is not, only the SHA-256 of it in lower-case hexadecimal digits. */
export type KeptKey = ApiKey & { readonly hash: string };

export type KeyUse = { readonly id: string; readonly at: Date };
