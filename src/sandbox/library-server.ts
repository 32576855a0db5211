/**
 * A well-behaved mail server: the npm package `smtp-server`, so that our client also meets manners that are not of
 * our making. Measured beside the scripted one, client in the same process, Node 26, one core: 82,000 pipelined RCPT/s
 * against 480,000, and 460 sessions/s against 4,300, since it waits 100 ms for clients that talk too early. So lists
 * of thousands go to scripted servers.
 *
 * Refuses to take a message: what is sent after DATA is thrown away and refused.
 */
import type { Socket } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { CONNECTION_CEILING, IDLE_MS, type MailServer, type Premises } from './mail-server.ts';
import { isKnownMailbox } from './mailbox.ts';
import type { SessionRecord } from './recorder.ts';
import { sandboxCertificate, sandboxKey } from './tls-fixture.ts';

export type LibraryManners = {
  /** Default: only mailboxes that it knows. */
  readonly acceptsEverybody?: boolean;
  readonly hides?: readonly ('PIPELINING' | 'SMTPUTF8' | '8BITMIME')[];
  /** STARTTLS is not offered by default. */
  readonly tls?: 'OFFERED' | 'REQUIRED';
};

type Refusal = Error & { responseCode: number };

export const createLibraryServer = (manners: LibraryManners, premises: Premises): MailServer => {
  const { acceptsEverybody = false, hides = [], tls } = manners;
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
        tls === 'REQUIRED' && !session.secure ? refusal(530, 'Must issue a STARTTLS command first') : null,
      ),
    onRcptTo: ({ address }, _session, done) => {
      const localPart = address.slice(0, address.lastIndexOf('@'));
      const isRefused = !acceptsEverybody && !isKnownMailbox(localPart);
      done(isRefused ? refusal(550, `<${address}>: Recipient address rejected: User unknown`) : null);
    },
    onData: (stream, _session, done) => {
      stream.resume().once('end', () => done(refusal(554, 'the sandbox takes no messages')));
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

/** The library puts the enhanced code before the text: 5.1.1 for 550, 5.7.0 for 530. */
const refusal = (responseCode: number, text: string): Refusal =>
  Object.assign(new Error(text), { responseCode });
