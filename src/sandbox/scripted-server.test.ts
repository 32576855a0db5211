/** The manners that every scripted server stands on, and its ceilings. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { closeTogether, type Exchange, listenTogether } from './mail-server.ts';
import { createRecorder } from './recorder.ts';
import type { Script } from './script.ts';
import { createScriptedServer } from './scripted-server.ts';
import { createSandboxContext } from './tls-fixture.ts';

const ip = '127.26.251.1';
let started: Exchange[] = [];
let recorder = createRecorder();
afterEach(() => closeTogether(started.splice(0)));

const start = async (script: Script = {}, pace = 0.01): Promise<Socket> => {
  recorder = createRecorder();
  const premises = { ip, name: 'mx.test', pace, recorder };
  started = [{ ip, server: createScriptedServer(script, premises, createSandboxContext()) }];
  const socket = connect(await listenTogether(started, 0), ip);
  await once(socket, 'connect');
  return socket;
};

/** All chunks until the server hangs up. */
const hearChunks = async (socket: Socket): Promise<string[]> => {
  const chunks: string[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  socket.on('error', () => {});
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return chunks;
};

const hear = async (socket: Socket, said: string): Promise<string[]> => {
  const heard = hearChunks(socket);
  socket.write(said);
  return (await heard).join('').split('\r\n').slice(0, -1);
};

const lines = (...commands: string[]): string => commands.map((command) => `${command}\r\n`).join('');
const session = lines('EHLO c.test', 'MAIL FROM:<>', 'RCPT TO:<user1@a.test>', 'RCPT TO:<x@a.test>', 'QUIT');
const answers = [
  '220 mx.test ESMTP',
  '250-mx.test',
  '250-PIPELINING',
  '250-SIZE 35882577',
  '250-8BITMIME',
  '250 ENHANCEDSTATUSCODES',
  '250 2.1.0 Ok',
  '250 2.1.5 Ok',
  '550 5.1.1 <x@a.test>: Recipient address rejected: User unknown in virtual mailbox table',
  '221 2.0.0 Bye',
];

describe('pipelining', () => {
  it('answers in order, however the octets are cut', async () => {
    expect(await hear(await start(), session)).toEqual(answers);
    const socket = await start();
    socket.setNoDelay(true);
    const heard = hearChunks(socket);
    for (const octet of Buffer.from(session)) {
      socket.write(Buffer.of(octet));
      // One segment each: the next goes out once the loop has turned.
      await new Promise(setImmediate);
    }
    expect((await heard).join('').split('\r\n').slice(0, -1)).toEqual(answers);
  });

  it('answers one chunk in one write', async () => {
    const socket = await start();
    await once(socket, 'data');
    socket.write(lines('HELO c', 'MAIL FROM:<>', ...Array<string>(50).fill('RCPT TO:<user1@a.test>')));
    const [chunk] = await once(socket, 'data');
    expect(String(chunk).split('\r\n')).toHaveLength(53);
    socket.destroy();
  });

  it('keeps the order when an answer takes time', async () => {
    const script: Script = { manners: { NOOP: { say: '250 late', waitMs: 500 } } };
    expect(await hear(await start(script), lines('NOOP', 'RSET', 'NOOP', 'QUIT'))).toEqual([
      '220 mx.test ESMTP',
      '250 late',
      '250 2.0.0 Ok',
      '250 late',
      '221 2.0.0 Bye',
    ]);
  });

  it('a chunk of many acts does not become as many calls deep', async () => {
    const script: Script = { manners: { NOOP: { say: '250 one' } } };
    const said = lines(...Array<string>(9_000).fill('NOOP'), 'QUIT');
    expect(await hear(await start(script), said)).toHaveLength(9_002);
  });
});

describe('order and syntax', () => {
  const rows: readonly [said: readonly string[], code: string][] = [
    [['RCPT TO:<user1@a.test>'], '503 5.5.1 Error: need MAIL'],
    [['MAIL FROM:<>', 'MAIL FROM:<>'], '503 5.5.1 Error: nested MAIL'],
    [['MAIL FROM:<>', 'RSET', 'RCPT TO:<user1@a.test>'], '503 5.5.1 Error: need MAIL'],
    [['MAIL FROM:<>', 'EHLO c', 'RCPT TO:<user1@a.test>'], '503 5.5.1 Error: need MAIL'],
    [['MAIL FROM:nobody'], '501 5.1.3'],
    [['MAIL FROM:<>', 'RCPT TO:<>'], '501 5.1.3'],
    [['VRFY anna'], '500 5.5.2'],
    [['STARTTLS'], '502 5.5.1'],
    [['MAIL FROM:<>', 'RCPT TO:<user1@a.test>', 'DATA'], '554 5.5.1'],
    [[''], '500 5.5.2'],
    [['\u0000\u0001'], '500 5.5.2'],
  ];
  it.each(rows)('%j', async (said, code) => {
    const heard = await hear(await start(), lines(...said, 'QUIT'));
    expect(heard.at(-2)?.slice(0, code.length)).toBe(code);
  });

  it('takes a bare LF, and echoes no control characters', async () => {
    const heard = await hear(await start(), 'MAIL FROM:<>\nRCPT TO:<a\rb@a.test>\nQUIT\n');
    expect(heard.at(-2)).toMatch(/^550 5\.1\.1 <a\?b@a\.test>/);
  });
});

it('lives on when a connection could not be accepted', async () => {
  const socket = await start();
  started[0]?.server.net.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
  expect(await hear(socket, 'QUIT\r\n')).toHaveLength(2);
});

describe('ceilings', () => {
  it('hangs up on a line without end', async () => {
    const heard = await hear(await start(), 'x'.repeat(5_000));
    expect(heard.at(-1)).toBe('500 5.5.2 Error: line too long');
  });

  it('hangs up on who writes on while a reply takes its time', async () => {
    const socket = await start({ manners: { NOOP: { say: '250 late', waitMs: 600_000 } } }, 1);
    const heard = hearChunks(socket);
    socket.write(lines('NOOP', 'x'.repeat(200_000)));
    expect((await heard).join('')).toBe('220 mx.test ESMTP\r\n');
  });

  it('stops reading from who does not read, and goes on when he does', async () => {
    const socket = await start({ manners: { NOOP: `250 ${'y'.repeat(400)}` } });
    socket.pause();
    const commands = 60_000;
    socket.write(lines(...Array<string>(commands).fill('NOOP'), 'QUIT'));
    // 24 MB of replies are more than two kernel buffers and a megabyte hold: it stops before it has heard everything.
    const heardByServer = () => recorder.commands;
    await expect.poll(heardByServer).toBeGreaterThan(1_000);
    await expect.poll(() => socket.writableLength).toBe(0);
    expect(heardByServer()).toBeLessThan(commands);
    let octets = 0;
    socket.on('data', (chunk: Buffer) => {
      octets += chunk.length;
    });
    socket.resume();
    await new Promise<void>((resolve) => socket.once('close', () => resolve()));
    expect(octets).toBe(commands * 406 + '220 mx.test ESMTP\r\n'.length + '221 2.0.0 Bye\r\n'.length);
  });
});
