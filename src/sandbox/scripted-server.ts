/**
 * A mail server on raw sockets that plays a script, well or badly: it has no manners but those that it is given.
 * Commands that arrive in one chunk are answered in order and in one write (RFC 2920 §3.2).
 *
 * Refuses to take a message: DATA is answered with 554. Limits: a line of 4 KB, 64 KB read ahead, 256 MB of an
 * endless reply, a session idle for 5 minutes, 20,000 connections, 100,000 things remembered.
 */
import { createServer } from 'node:net';
import type { SecureContext } from 'node:tls';
import { CONNECTION_CEILING, type MailServer, type Premises } from './mail-server.ts';
import { answerHonestly, defaultOffers, type Manner, type Script, type Verb } from './script.ts';
import { type Part, ScriptedSession } from './scripted-session.ts';
import { createSandboxContext } from './tls-fixture.ts';

/** The honest server: what every script stands on. */
const manners = (script: Script): Record<Verb, Manner> => {
  const offers = script.offers ?? defaultOffers;
  return {
    EHLO: ({ serverName, isSecure }) =>
      [serverName, ...offers.filter((offer) => !(isSecure && offer === 'STARTTLS'))]
        .map((line, index, lines) => `250${index === lines.length - 1 ? ' ' : '-'}${line}`)
        .join('\n'),
    HELO: ({ serverName }) => `250 ${serverName}`,
    MAIL: '250 2.1.0 Ok',
    RCPT: answerHonestly,
    RSET: '250 2.0.0 Ok',
    NOOP: '250 2.0.0 Ok',
    DATA: '554 5.5.1 Error: the sandbox takes no messages',
    STARTTLS: ({ isSecure }) =>
      offers.includes('STARTTLS') && !isSecure
        ? { say: '220 2.0.0 Ready to start TLS', next: 'START_TLS' }
        : '502 5.5.1 Error: command not implemented',
    QUIT: { say: '221 2.0.0 Bye', next: 'HANG_UP' },
    UNKNOWN: '500 5.5.2 Error: command not recognized',
    ...script.manners,
  };
};

/** @param secureContext for START_TLS */
export const createScriptedServer = (
  script: Script,
  premises: Premises,
  secureContext: SecureContext,
): MailServer => {
  const sessions = new Set<ScriptedSession>();
  const memory = new Map<string, number>();
  const part: Part = {
    script,
    manners: manners(script),
    premises,
    secureContext:
      script.chainLength === undefined ? secureContext : createSandboxContext(script.chainLength),
    memory,
  };
  const net = createServer({ noDelay: true }, (socket) => {
    const session = new ScriptedSession(socket, part, () => sessions.delete(session));
    sessions.add(session);
    session.greet();
  });
  net.maxConnections = CONNECTION_CEILING;
  // A connection that could not be accepted (no descriptor left) is the client's loss, not the end of the process.
  net.on('error', () => {});
  return {
    net,
    hangUp() {
      for (const session of sessions) session.hangUp();
    },
    reset() {
      memory.clear();
    },
  };
};
