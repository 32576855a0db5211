/**
 * Commands as text (RFC 5321 §4.1). The last gate before the wire: what could end a command line early, or add a
 * parameter to it, is a bug of ours and throws. An address comes here parsed; nothing here makes a bad one good.
 */
import type { Command } from './types.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is what it is for
const control = /[\u0000-\u001f\u007f]/;
const quotedLocalPart = /^"(?:[^"\\]|\\.)*"@/;
const breaksPath = /[\s<>]/;

/** @throws a bug: the argument could break out of its place. The argument itself is personal data and stays out. */
const checkName = (name: string): string => {
  if (name === '' || control.test(name) || /\s/.test(name)) throw new Error('unprintable EHLO name');
  return name;
};

const checkPath = (path: string): string => {
  if (control.test(path) || breaksPath.test(path.replace(quotedLocalPart, '')))
    throw new Error('unprintable path in an SMTP command');
  return path;
};

/** One command without its CRLF. */
export const printCommandLine = (command: Command): string => {
  switch (command.verb) {
    case 'EHLO':
    case 'HELO':
      return `${command.verb} ${checkName(command.name)}`;
    case 'MAIL':
      return `MAIL FROM:<${checkPath(command.reversePath)}>${command.usesSmtpUtf8 ? ' SMTPUTF8' : ''}`;
    case 'RCPT':
      if (command.forwardPath === '') throw new Error('empty forward path');
      return `RCPT TO:<${checkPath(command.forwardPath)}>`;
    case 'RSET':
    case 'STARTTLS':
    case 'QUIT':
      return command.verb;
  }
};

/**
 * One command as it goes over the wire.
 * No BODY is ever sent: it describes content (RFC 6152 §3), and we never send any.
 */
export const printCommand = (command: Command): string => `${printCommandLine(command)}\r\n`;
