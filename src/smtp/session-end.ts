/** How a session, or its opening, ends: by a reply, by the connection, or when the time of a phase runs out. */
import type { Timeouts } from './limits.ts';
import type { Reply } from './protocol/index.ts';
import type { Phase, SessionFault } from './types.ts';

/** How opening a session, or securing it, went. */
export type Opening =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly phase: Phase; readonly reply: Reply }
  | { readonly kind: 'fault'; readonly fault: SessionFault }
  | { readonly kind: 'aborted' };

/** Why a session that was open ended without our doing: 421, or a fault. */
export type SessionEnd =
  | { readonly kind: 'closing'; readonly phase: Phase; readonly reply: Reply }
  | { readonly kind: 'fault'; readonly phase: Phase; readonly fault: SessionFault };

export type PhaseFault = SessionFault & { readonly phase: Phase };

export const openingOf = (end: SessionEnd): Opening =>
  end.kind === 'closing'
    ? { kind: 'refused', phase: end.phase, reply: end.reply }
    : { kind: 'fault', fault: end.fault };

/** How long a reply is waited for. */
export const readPhaseMs = (phase: Phase, timeouts: Timeouts): number => {
  switch (phase) {
    case 'RESOLVE':
    case 'CONNECT':
      return timeouts.connectMs;
    case 'GREETING':
      return timeouts.greetingMs;
    case 'EHLO':
      return timeouts.ehloMs;
    case 'STARTTLS':
      return timeouts.startTlsMs;
    case 'TLS_HANDSHAKE':
      return timeouts.tlsHandshakeMs;
    case 'MAIL_FROM':
      return timeouts.mailFromMs;
    case 'RCPT_TO':
      return timeouts.rcptToMs;
  }
};

export const faultOfError = (phase: Phase, error: NodeJS.ErrnoException): PhaseFault =>
  phase === 'TLS_HANDSHAKE'
    ? { kind: 'tls', phase, detail: (error.code ?? error.message).slice(0, 200) }
    : faultOfClose(phase);

export const faultOfClose = (phase: Phase): PhaseFault =>
  phase === 'TLS_HANDSHAKE'
    ? { kind: 'tls', phase, detail: 'closed during the handshake' }
    : { kind: 'closed', phase };

/**
 * Whoever agreed to TLS and then is silent cannot do it: that is known of it, and not only that we waited.
 * @param isOfPhase its own time ran out, and not the session's
 */
export const faultOfSilence = (phase: Phase, isOfPhase: boolean): PhaseFault =>
  phase === 'TLS_HANDSHAKE' && isOfPhase
    ? { kind: 'tls', phase, detail: 'silent during the handshake' }
    : { kind: 'timeout', phase };
