/** Verdicts as the port `verify` gives them, for processes with a test runner and without. */
import type { ParsedAddress } from '../../src/address/index.ts';
import type { Reason, Status } from '../../src/verdict/index.ts';
import type { Verification } from '../../src/verify/index.ts';

export const textOf = (address: ParsedAddress): string =>
  address.kind === 'address' ? address.address.input : address.input;

const statusOf: Partial<Record<Reason, Status>> = {
  MAILBOX_EXISTS: 'DELIVERABLE',
  MAILBOX_NOT_FOUND: 'UNDELIVERABLE',
  INVALID_SYNTAX: 'UNDELIVERABLE',
  CATCH_ALL: 'RISKY',
};

/** A verdict of this reason, found now. */
export const verdictOf = (
  address: ParsedAddress,
  reason: Reason,
  retryAt: Date | null = null,
): Verification => ({
  status: statusOf[reason] ?? 'UNKNOWN',
  reason,
  score: 50,
  summary: '',
  signals: [],
  retryAfterSeconds: null,
  lifeSeconds: 60,
  checkedAt: new Date(),
  expiresAt: new Date(Date.now() + 60_000),
  retryAt,
  fromCache: false,
  evidence:
    address.kind === 'fault'
      ? { kind: 'syntax', fault: address.fault }
      : {
          kind: 'internal',
          address: address.address,
          facts: { isRole: false, isFree: false, isDisposable: false, provider: null, suggestion: null },
        },
});

/** `count` different addresses. */
export const addresses = (count: number, domain = 'x.example'): readonly string[] =>
  Array.from({ length: count }, (_, n) => `u${n}@${domain}`);
