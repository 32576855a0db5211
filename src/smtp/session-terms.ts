/** What a session is given, and what it tells its owner while it is open. */
import type { ExchangeHost } from '../address/index.ts';
import type { OnProgress } from './introduction.ts';
import type { Timeouts } from './limits.ts';
import type { Reply } from './protocol/index.ts';
import type { SessionEnd } from './session-end.ts';
import type { LogLine, SessionLog } from './transcript.ts';

export type SessionTarget = { readonly host: ExchangeHost; readonly ip: string; readonly port: number };

/** Counted since start, over all sessions. */
export type SessionStats = { sessionsOpened: number; commandsSent: number };

export type SessionOptions = {
  readonly heloName: string;
  readonly timeouts: Timeouts;
  readonly log: SessionLog;
  readonly stats: SessionStats;
  /** False: the exchange refused EHLO lately, so HELO is said at once. */
  readonly knowsEhlo: boolean;
  /** Told of each stage until the session is ready. */
  readonly onProgress?: OnProgress | undefined;
};

/** What the owner hangs on a recipient; the session notes in it when the command went out. */
export type Asked = { sent: LogLine | null };

/** Called from the socket's events. None of these may call back into the session, but for `advanced`. */
export type SessionListener<Ask extends Asked> = {
  answered(ask: Ask, reply: Reply): void;
  envelopeRefused(reply: Reply): void;
  /** Everything that arrived has been reported: time to give the session more, or to leave it. */
  advanced(): void;
  ended(end: SessionEnd): void;
  /** A bug of ours came up while the session was served; it is closed. */
  broke(error: unknown): void;
};
