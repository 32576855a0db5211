/** A whole reply of a server (RFC 5321 §4.2). */
export type Reply = {
  /** 200–599. */
  readonly code: number;
  /** `5.1.1` when every line carries the same enhanced code (RFC 2034 §4), else null. */
  readonly enhancedCode: string | null;
  /** The text of each line without code, separator and enhanced code; unprintable octets as U+FFFD. */
  readonly lines: readonly string[];
  /** The lines joined with one space. */
  readonly text: string;
};

/** Why octets are no reply. After one of these nothing that follows can be trusted, so the session ends. */
export type ReplyFault = {
  readonly kind: 'notAReply' | 'codeChanged' | 'lineTooLong' | 'tooManyLines' | 'replyTooLong';
  /** For people, with at most 60 characters of what was read. */
  readonly detail: string;
};

/** What a server offered in its reply to EHLO (RFC 5321 §4.1.1.1). A server greeted by HELO offers nothing. */
export type Capabilities = {
  /** RFC 2920. */
  readonly offersPipelining: boolean;
  /** RFC 3207. */
  readonly offersStartTls: boolean;
  /** RFC 6531. */
  readonly offersSmtpUtf8: boolean;
  /** RFC 2034. */
  readonly offersEnhancedStatusCodes: boolean;
  /** RFC 1870; null when it is not stated, or stated as 0 (no fixed limit). */
  readonly maxMessageBytes: number | null;
  /** RFC 9422 `LIMITS RCPTMAX`; null when not stated. */
  readonly maxRecipientsPerTransaction: number | null;
  /** RFC 9422 `LIMITS MAILMAX`; null when not stated. */
  readonly maxTransactionsPerSession: number | null;
  /** Keyword and parameters as the server wrote them, one extension each. */
  readonly lines: readonly string[];
};

/** A command line that we send (RFC 5321 §4.1). Paths are without angle brackets. */
export type Command =
  | { readonly verb: 'EHLO' | 'HELO'; readonly name: string }
  | { readonly verb: 'MAIL'; readonly reversePath: string; readonly usesSmtpUtf8: boolean }
  | { readonly verb: 'RCPT'; readonly forwardPath: string }
  | { readonly verb: 'RSET' | 'STARTTLS' | 'QUIT' };

export type DialogueState =
  | 'GREETING'
  | 'EHLO'
  | 'HELO'
  | 'READY'
  | 'ASKING'
  | 'STARTTLS'
  | 'TLS_HANDSHAKE'
  | 'REFUSED'
  | 'QUIT'
  | 'ENDED';

/** What the next reply would be about. */
export type DialoguePhase = 'GREETING' | 'EHLO' | 'STARTTLS' | 'TLS_HANDSHAKE' | 'MAIL_FROM' | 'RCPT_TO';

export type Envelope = {
  readonly reversePath: string;
  readonly usesSmtpUtf8: boolean;
  /** One command at a time even where PIPELINING is offered, because it is known to lose commands. */
  readonly isUnpipelined?: boolean;
};

/** Somebody to ask about, with whatever the asker wants to find again in the answer. */
export type Recipient<Tag> = { readonly forwardPath: string; readonly tag: Tag };

export type DialogueEvent<Tag> =
  | { readonly kind: 'send'; readonly command: Command; readonly recipient: Recipient<Tag> | null }
  /** Every reply, before the event that it causes. `recipient` when it answers an RCPT TO. */
  | { readonly kind: 'received'; readonly reply: Reply; readonly recipient: Recipient<Tag> | null }
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly phase: DialoguePhase; readonly reply: Reply }
  /** MAIL FROM (or the RSET before it) was refused: nobody of this transaction will be answered. */
  | { readonly kind: 'envelopeRefused'; readonly reply: Reply }
  | { readonly kind: 'answered'; readonly recipient: Recipient<Tag>; readonly reply: Reply }
  | { readonly kind: 'startTls' }
  /** 421: the server hangs up. Whoever is not answered yet will not be. */
  | { readonly kind: 'closing'; readonly phase: DialoguePhase; readonly reply: Reply }
  | { readonly kind: 'fault'; readonly phase: DialoguePhase; readonly detail: string }
  | { readonly kind: 'ended' };
