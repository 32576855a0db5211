/**
 * SMTP as a client speaks it, without a socket: octets in, events out (RFC 5321, with RFC 2920 PIPELINING, RFC 3207
 * STARTTLS, RFC 6531 SMTPUTF8, RFC 9422 LIMITS). `Dialogue` is the conversation, `createReplyReader` its ears,
 * `printCommand` its mouth.
 *
 * Refuses to do I/O, to know time, and to say what a reply means (that is `meaning`). It never sends DATA.
 * Limits: a line 4,096 octets, a reply 100 lines and 64 KB, one reply for each command and none besides.
 */
export { printCommandLine } from './command.ts';
export { Dialogue } from './dialogue.ts';
export { printReplyLines } from './reply-reader.ts';
export type * from './types.ts';
