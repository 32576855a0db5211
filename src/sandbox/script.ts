/**
 * How a mail server behaves, as data: what it does at the greeting and after each command. `scripted-server.ts`
 * plays it. A personality says only where it differs from an honest server.
 */
import { isKnownMailbox, type MailPath } from './mailbox.ts';

export type Verb =
  | 'EHLO'
  | 'HELO'
  | 'MAIL'
  | 'RCPT'
  | 'RSET'
  | 'NOOP'
  | 'DATA'
  | 'STARTTLS'
  | 'QUIT'
  | 'UNKNOWN';

/** A text is one reply, or several lines of one, each with its code; CRLF is put between and after. */
export type Act =
  | string
  | {
      /** Octets are sent as they are. Default: nothing. */
      readonly say?: string | Uint8Array;
      /** Milliseconds before anything is said; times the pace. */
      readonly waitMs?: number;
      /** Said again for as long as the peer reads it, one octet each so many milliseconds (times the pace) when given. */
      readonly isEndless?: boolean;
      readonly octetEveryMs?: number;
      /**
       * What comes after it. SILENCE reads on and says nothing any more; HANG_UP ends the connection; START_TLS is a
       * handshake with the sandbox's certificate; BREAK_TLS answers the handshake with what is none.
       */
      readonly next?: 'SILENCE' | 'HANG_UP' | 'START_TLS' | 'BREAK_TLS';
    };

/** What a server knows when it decides. */
export type Told = {
  readonly line: string;
  /** Of MAIL and RCPT. */
  readonly path: MailPath;
  /** The reverse path of the transaction, as it was sent. */
  readonly reversePath: string;
  readonly clientIp: string;
  readonly serverName: string;
  readonly isSecure: boolean;
  /** Recipients accepted in this transaction. */
  readonly recipients: number;
  /** Recipients refused in this session. */
  readonly refusals: number;
  /** RCPT commands of this session, this one included. */
  readonly asked: number;
  readonly nowMs: number;
  /** Milliseconds as this sandbox takes them. */
  readonly paced: (ms: number) => number;
  /** What this server remembers of everybody: bounded, emptied by `reset`. */
  readonly memory: Map<string, number>;
};

export type Manner = Act | ((told: Told) => Act);

export type Script = {
  /** Default `220 name ESMTP`. */
  readonly greeting?: Act | ((serverName: string) => Act);
  /** What EHLO offers; default PIPELINING, SIZE, 8BITMIME, ENHANCEDSTATUSCODES. */
  readonly offers?: readonly string[];
  readonly manners?: Readonly<Partial<Record<Verb, Manner>>>;
  /** Reads one command of each chunk and forgets the rest, as one that only claims to know PIPELINING. */
  readonly losesPipelined?: boolean;
  /** Times that its certificate stands in the chain it shows (0.5 KB each); default 1. */
  readonly chainLength?: number;
  /** Waits so long before each reply that names no time of its own. */
  readonly waitMs?: number;
};

export const defaultOffers = ['PIPELINING', 'SIZE 35882577', '8BITMIME', 'ENHANCEDSTATUSCODES'] as const;

/** The address as Postfix repeats it in front of a refusal. */
export const printRecipient = ({ path }: Pick<Told, 'path'>): string =>
  `<${path.localPart}@${path.domain}>`.replace(/\p{Cc}/gu, '?');

export const accept = '250 2.1.5 Ok';
const refuseUnknown = (told: Pick<Told, 'path'>): string =>
  `550 5.1.1 ${printRecipient(told)}: Recipient address rejected: User unknown in virtual mailbox table`;

/** Accepts whom it knows and refuses the others. */
export const answerHonestly = (told: Pick<Told, 'path'>): string =>
  isKnownMailbox(told.path.localPart) ? accept : refuseUnknown(told);
