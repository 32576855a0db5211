import { fork } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { printExamples, type Sandbox, startSandbox } from '../../src/sandbox/index.ts';
import { converse, openPeer, openPeers } from './client.ts';

const open: Sandbox[] = [];
const start = async (options: Parameters<typeof startSandbox>[0] = { pace: 0 }): Promise<Sandbox> => {
  const sandbox = await startSandbox(options);
  open.push(sandbox);
  return sandbox;
};
afterEach(async () => {
  await Promise.all(open.splice(0).map((sandbox) => sandbox.close()));
  await expect.poll(sockets).toEqual([]);
});

/** Sockets and servers of this process. */
const sockets = (): string[] =>
  process.getActiveResourcesInfo().filter((resource) => /^(?:TCP|UDP|TLS)/.test(resource));

describe('start and close', () => {
  it('twice in a row, with connections in every state, leaves nothing that keeps a process alive', async () => {
    const child = fork(new URL('./close.child.ts', import.meta.url));
    try {
      const [code, signal] = await once(child, 'exit', { signal: AbortSignal.timeout(15_000) });
      expect({ code, signal }).toEqual({ code: 0, signal: null });
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('ends every kind of connection at once', async () => {
    const sandbox = await start({ pace: 1 });
    const peers = await openPeers(sandbox);
    await sandbox.close();
    for (const { socket } of peers) socket.resume();
    await Promise.all(peers.map((peer) => peer.hearAll()));
  });

  it('in the middle of a handshake does not end the process', async () => {
    for (const domain of ['starttls-required.test', 'starttls-injected.test']) {
      const sandbox = await start();
      const peer = await openPeer(sandbox, domain);
      await peer.hearLines(1);
      peer.socket.write('EHLO c.test\r\n');
      await peer.hear(/^250 /m);
      peer.socket.write('STARTTLS\r\n');
      await peer.hear(/Ready to start TLS/);
      // The first octets of a ClientHello, and never the rest.
      peer.socket.write(Buffer.from('160301020001000101fc0303', 'hex'));
      await sandbox.close();
      await peer.hearAll();
    }
  });

  it('may be closed twice', async () => {
    const sandbox = await start();
    await Promise.all([sandbox.close(), sandbox.close()]);
    await sandbox.close();
  });
});

describe('several at once', () => {
  it('do not collide, and each has its own servers', async () => {
    const sandboxes = await Promise.all(Array.from({ length: 4 }, () => start()));
    expect(new Set(sandboxes.map(({ smtpPort }) => smtpPort)).size).toBe(4);
    expect(new Set(sandboxes.flatMap(({ dnsServers }) => dnsServers)).size).toBe(4);
    const [first, second] = sandboxes;
    if (!first || !second) throw new Error('four were started');
    await converse(first, 'bulk.test', ['QUIT']);
    expect(first.counts().smtpSessions).toBe(1);
    expect(second.counts().smtpSessions).toBe(0);
  });

  it('a port that was asked for and is taken stops the start, and nothing is left', async () => {
    const first = await start();
    await expect(startSandbox({ smtpPort: first.smtpPort })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const dnsPort = Number(first.dnsServers[0]?.split(':')[1]);
    await expect(startSandbox({ dnsPort })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    // The first one lives on; that nothing of the others is left is looked at after each test.
    expect(await converse(first, 'bulk.test', ['QUIT'])).toHaveLength(2);
  });
});

it.each([-0.1, 1.1, Number.NaN, Number.POSITIVE_INFINITY])('a pace of %s is refused', async (pace) => {
  await expect(startSandbox({ pace })).rejects.toThrow('pace');
});

describe('counts and log', () => {
  it('tell what each domain’s servers were told, write by write', async () => {
    const sandbox = await start();
    const peer = await openPeer(sandbox, 'bulk1.test');
    await peer.hearLines(1);
    peer.socket.write('EHLO c.test\r\n');
    await peer.hear(/250 ENHANCED/);
    peer.socket.write('MAIL FROM:<>\r\nRCPT TO:<user1@bulk1.test>\r\nRCPT TO:<x@bulk1.test>\r\n');
    await peer.hear(/550 /);
    peer.socket.write('QUIT\r\n');
    await peer.hearAll();
    await converse(sandbox, 'accepts.test', ['NOOP', 'QUIT']);

    expect(
      sandbox.log('bulk1.test').map(({ session, batch, line }) => `${session}/${batch} ${line}`),
    ).toEqual([
      '1/1 EHLO c.test',
      '1/2 MAIL FROM:<>',
      '1/2 RCPT TO:<user1@bulk1.test>',
      '1/2 RCPT TO:<x@bulk1.test>',
      '1/3 QUIT',
    ]);
    // A shared exchange has one log, whichever of its domains is named.
    expect(sandbox.log('bulk2.test')).toEqual(sandbox.log('bulk1.test'));
    expect(sandbox.log('accepts.test').map(({ line }) => line)).toEqual(['NOOP', 'QUIT']);
    expect(sandbox.log('nowhere.test')).toEqual([]);
    expect(sandbox.log()).toHaveLength(7);
    expect(sandbox.counts()).toMatchObject({ smtpSessions: 2, smtpCommands: 7 });
    expect(sandbox.counts().dnsQueries).toBeGreaterThanOrEqual(4);

    sandbox.reset();
    expect(sandbox.log()).toEqual([]);
    expect(sandbox.counts()).toEqual({ dnsQueries: 0, smtpSessions: 0, smtpCommands: 0 });
  });

  it('keep the newest 20,000 lines and count all', async () => {
    const sandbox = await start();
    const commands = Array.from({ length: 20_010 }, (_, index) => `NOOP ${index}`);
    await converse(sandbox, 'bulk.test', [...commands, 'QUIT']);
    const log = sandbox.log();
    expect(log).toHaveLength(20_000);
    expect(log[0]?.line).toBe('NOOP 11');
    expect(log.at(-1)?.line).toBe('QUIT');
    expect(sandbox.counts().smtpCommands).toBe(20_011);
  });
});

it('prints one line an example, with what it should come to', async () => {
  const sandbox = await start();
  const lines = printExamples(sandbox).split('\n');
  expect(lines).toHaveLength(sandbox.examples.length + 1);
  for (const [index, { address, expected, about }] of sandbox.examples.entries()) {
    const line = lines[index + 1] ?? '';
    expect(line).toMatch(new RegExp(`^\\S+ +${expected.status} ${expected.reason} +\\S`));
    expect(line.startsWith(address)).toBe(true);
    expect(line.endsWith(about)).toBe(true);
  }
});
