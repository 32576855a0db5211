/**
 * A well-behaved mail server: the npm package `smtp-server`, so that our client also meets manners that are not of
 * our making. It is slower than the scripted one and greets after 100 ms (it waits for clients that talk too early),
 * so lists of thousands go to scripted servers.
 *
 * Refuses to take a message: what is sent after DATA is thrown away and refused.
 */
import type { Socket } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { CONNECTION_CEILING, IDLE_MS, type MailServer, type Premises } from './mail-server.ts';
import { parsePath } from './mailbox.ts';
import type { SessionRecord } from './recorder.ts';
import { answerHonestly, type Told } from './script.ts';
import { sandboxCertificate, sandboxKey } from './tls-fixture.ts';

export type LibraryManners = {
  /** A reply of one line; default: accepts whom it knows. */
  readonly answer?: (told: Pick<Told, 'path'>) => string;
  readonly hides?: readonly ('PIPELINING' | 'SMTPUTF8' | '8BITMIME')[];
  /** STARTTLS is not offered by default. */
  readonly tls?: 'OFFERED' | 'REQUIRED';
};

type Refusal = Error & { responseCode: number };

export const createLibraryServer = (manners: LibraryManners, premises: Premises): MailServer => {
  const { answer = answerHonestly, hides = [], tls } = manners;
  const sessions = new Map<string, SessionRecord>();
  /** The library tells of connections and commands to its logger and to nobody else. */
  const note = (entry: unknown, ...rest: readonly unknown[]): void => {
    const { tnx, cid } = entry as { readonly tnx?: string; readonly cid?: string };
    if (cid === undefined) return;
    if (tnx === 'connection' && !sessions.has(cid)) sessions.set(cid, premises.recorder.open(premises.ip));
    else if (tnx === 'command') {
      const record = sessions.get(cid);
      record?.chunk();
      record?.line(String(rest[1] ?? ''));
    } else if (tnx === 'close') sessions.delete(cid);
  };
  const server = new SMTPServer({
    name: premises.name,
    logger: { level: () => {}, trace: note, debug: note, info: note, warn: note, error: note, fatal: note },
    key: sandboxKey,
    cert: sandboxCertificate,
    disabledCommands: tls === undefined ? ['AUTH', 'STARTTLS'] : ['AUTH'],
    disableReverseLookup: true,
    hideENHANCEDSTATUSCODES: false,
    hidePIPELINING: hides.includes('PIPELINING'),
    hideSMTPUTF8: hides.includes('SMTPUTF8'),
    hide8BITMIME: hides.includes('8BITMIME'),
    socketTimeout: IDLE_MS,
    onMailFrom: (_address, session, done) =>
      done(
        tls === 'REQUIRED' && !session.secure
          ? refusal('530 5.7.0 Must issue a STARTTLS command first')
          : null,
      ),
    onRcptTo: ({ address }, _session, done) => {
      const path = parsePath(`RCPT TO:<${address}>`);
      const reply = path ? answer({ path }) : '501 5.1.3 Bad address syntax';
      done(reply.startsWith('2') ? null : refusal(reply));
    },
    onData: (stream, _session, done) => {
      stream.resume().once('end', () => done(refusal('554 5.5.1 the sandbox takes no messages')));
    },
  });
  // What a client did to its own connection is no fault of the server's.
  server.on('error', () => {});
  const net = server.server;
  net.maxConnections = CONNECTION_CEILING;
  const sockets = new Set<Socket>();
  net.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return {
    net,
    hangUp() {
      for (const socket of sockets) socket.destroy();
    },
    reset() {},
  };
};

/** The library prints the enhanced code itself, from the code. */
const refusal = (reply: string): Refusal =>
  Object.assign(new Error(reply.replace(/^\d{3} (?:\d\.\d{1,3}\.\d{1,3} )?/, '')), {
    responseCode: Number(reply.slice(0, 3)),
  });
