/** Each mail server, as it shows itself on the wire to a client that knows nothing of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox/index.ts';
import { personalities } from '../../src/sandbox/personalities/index.ts';
import { converse, openPeer, secure } from './client.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ pace: 0.02 });
});
afterAll(() => sandbox.close());

type Row = {
  readonly name: string;
  /** Default `name.test`. */
  readonly domain?: string;
  /** Local parts asked about after HELO and MAIL FROM:<>; none: nothing is said at all. */
  readonly asked?: readonly string[];
  /** Instead of HELO, MAIL and RCPT. */
  readonly said?: readonly string[];
  /** Each line heard must begin with its row, and there must be no other. */
  readonly heard: readonly string[];
  /** It keeps the connection and says nothing more. */
  readonly isMute?: boolean;
};

/** HELO and MAIL FROM are fine: what follows is about the recipients. */
const welcome = (name: string): string[] => [`220 mx.${name}.test ESMTP`, `250 mx.${name}.test`, '250 2.1.0'];
const known = '250 2.1.5';
const notThere = '550 5.1.1';
const bye = '221 2.0.0';

const rcptRow = (name: string, asked: readonly string[], heard: readonly string[]): Row => ({
  name,
  asked,
  heard: [...welcome(name), ...heard],
});

/** Those that speak in the manner of the library, whose greeting is its own. */
const libraryRow = (name: string, asked: readonly string[], heard: readonly string[]): Row => ({
  name,
  asked,
  heard: [`220 mx.${name}.test ESMTP`, `250 mx.${name}.test`, '250 2.1.0 Accepted', ...heard, bye],
});

const rows: readonly Row[] = [
  libraryRow('accepts', ['user1', 'Anna.Schmidt', 'nobody', 'postmaster'], [known, known, notThere, known]),
  libraryRow('catch-all', ['user1', 'h7fk2lq0z9'], [known, known]),
  libraryRow('no-pipelining', ['user1', 'nobody'], [known, notThere]),
  libraryRow('implicit-mx', ['user1', 'nobody'], [known, notThere]),
  libraryRow('no-smtputf8', ['user1'], [known]),
  { ...libraryRow('bücher', ['user1', 'nobody'], [known, notThere]), domain: 'xn--bcher-kva.test' },
  {
    name: 'smtputf8',
    said: ['EHLO client.test', 'MAIL FROM:<> SMTPUTF8', 'RCPT TO:<josé@smtputf8.test>', 'QUIT'],
    heard: [
      '220 mx.smtputf8.test ESMTP',
      '250-mx.smtputf8.test',
      '250-PIPELINING',
      '250-8BITMIME',
      '250-SMTPUTF8',
      '250 ENHANCEDSTATUSCODES',
      '250 2.1.0',
      known,
      bye,
    ],
  },
  {
    name: 'starttls-required',
    said: ['EHLO client.test', 'MAIL FROM:<>', 'QUIT'],
    heard: [
      '220 mx.starttls-required.test ESMTP',
      '250-mx.starttls-required.test',
      '250-PIPELINING',
      '250-8BITMIME',
      '250-SMTPUTF8',
      '250-ENHANCEDSTATUSCODES',
      '250 STARTTLS',
      '530 5.7.0 Must issue a STARTTLS command first',
      bye,
    ],
  },
  rcptRow('accepts-then-bounces', ['user1', 'nobody'], ['252 2.1.5', '252 2.1.5', bye]),
  {
    name: 'helo-only',
    said: ['EHLO client.test', 'HELO client.test', 'QUIT'],
    heard: ['220 mx.helo-only.test', '502 5.5.1', '250 mx.helo-only.test', bye],
  },
  rcptRow('slow', ['user1'], [known, bye]),
  rcptRow(
    'two-recipients',
    ['user1', 'nobody', 'user2', 'user3', 'user4'],
    [known, notThere, known, '452 4.5.3', '452 4.5.3', bye],
  ),
  rcptRow('full', ['full', 'busy', 'user1', 'nobody'], ['552 5.2.2', '452 4.2.2', known, notThere, bye]),
  rcptRow('disabled', ['user1'], ['550 5.2.1 <user1@disabled.test>', bye]),
  rcptRow(
    'blocked-at-rcpt',
    ['user1'],
    ['554 5.7.1 Service unavailable; Client host [127.0.0.1] blocked', bye],
  ),
  { name: 'blocked-at-banner', said: ['QUIT'], heard: ['554 mx.blocked-at-banner.test', bye] },
  { name: 'blocked-521', said: [], heard: ['521 5.7.1 mx.blocked-521.test'] },
  { name: 'retired', said: [], heard: ['521 mx.retired.test does not accept mail'] },
  {
    name: 'blocked-at-ehlo',
    said: ['EHLO client.test', 'HELO client.test', 'QUIT'],
    heard: ['220 ', '550 5.7.1 Helo command rejected', '550 5.7.1 Helo command rejected', bye],
  },
  {
    name: 'sender-refused',
    said: ['HELO client.test', 'MAIL FROM:<a@b.test>', 'RCPT TO:<user1@sender-refused.test>', 'QUIT'],
    heard: ['220 ', '250 ', '553 5.1.8 <a@b.test>: Sender address rejected', '503 5.5.1', bye],
  },
  rcptRow('sender-refused-late', ['user1'], ['550 5.7.1 <>: Sender address rejected', bye]),
  {
    name: 'null-sender-refused',
    said: ['HELO client.test', 'MAIL FROM:<>', 'MAIL FROM:<a@b.test>', 'QUIT'],
    heard: ['220 ', '250 ', '550 5.7.1 <>: Sender address rejected', '250 2.1.0', bye],
  },
  rcptRow('policy', ['user1'], ['554 5.7.1 <user1@policy.test>: Recipient address rejected: Access', bye]),
  {
    name: 'auth-required',
    said: ['HELO client.test', 'MAIL FROM:<>', 'QUIT'],
    heard: ['220 ', '250 ', '530 5.7.1 Authentication required', bye],
  },
  rcptRow('hangs-up-after-refusal', ['user1', 'nobody', 'user2'], [known, notThere]),
  rcptRow('ten-refusals', Array(12).fill('nobody'), [...Array(10).fill(notThere), '421 4.7.0']),
  rcptRow(
    'greylisting',
    ['user1', 'nobody'],
    ['450 4.2.0 <user1@greylisting.test>: Recipient address rejected: Greylisted', '450 4.2.0', bye],
  ),
  rcptRow(
    'greylisting-delay',
    ['user1'],
    ['451 4.7.1 Greylisting in action, please come back in 1 sec', bye],
  ),
  rcptRow('rate-limited', ['user1'], ['450 4.7.1 Error: too much mail from 127.0.0.1', bye]),
  { name: 'too-many-connections', said: [], heard: ['421 4.7.0 mx.too-many-connections.test'] },
  rcptRow('four-a-session', Array(6).fill('user1'), [known, known, known, known, '421 4.7.0']),
  rcptRow('temporary', ['user1'], ['451 4.3.0 <user1@temporary.test>: Temporary lookup failure', bye]),
  rcptRow(
    'unverified-recipient',
    ['user1', 'nobody', 'pending'],
    [
      known,
      '450 4.1.1 <nobody@unverified-recipient.test>: Recipient address rejected: undeliverable address',
      '450 4.1.1 <pending@unverified-recipient.test>: Recipient address rejected: unverified address',
      bye,
    ],
  ),
  rcptRow(
    'gmail-like',
    ['user1', 'nobody', 'busy', 'full', 'disabled'],
    [
      known,
      ...['550-5.1.1', '550-5.1.1', '550-5.1.1', '550 5.1.1'],
      ...['450-4.2.1', '450-4.2.1', '450 4.2.1'],
      ...['452-4.2.2', '452-4.2.2', '452 4.2.2'],
      ...['550-5.2.1', '550 5.2.1'],
      bye,
    ],
  ),
  rcptRow(
    'exchange-online-like',
    ['user1', 'nobody', 'disabled'],
    [known, '550 5.4.1 Recipient address rejected: Access denied. AS(201806281)', '550 5.2.1', bye],
  ),
  rcptRow(
    'yahoo-like',
    ['user1', 'nobody', 'disabled'],
    [known, '552 1 Requested mail action aborted, mailbox not found', '554 30 Sorry', bye],
  ),
  { ...rcptRow('disposable', ['user1', 'nobody'], [known, known, bye]), domain: 'mailinator.com' },
  rcptRow('german', ['user1', 'nobody'], ['250 OK', '550 Benutzer unbekannt', bye]),
  rcptRow('russian', ['user1', 'nobody'], ['250 OK', '550 Нет такого пользователя', bye]),
  rcptRow('chinese', ['user1', 'nobody'], ['250 OK', '550 用户不存在', bye]),
  rcptRow('dead-first-mx', ['user1', 'nobody'], [known, notThere, bye]),
  { name: 'hangs', heard: [], isMute: true },
  { ...rcptRow('hangs-at-rcpt', ['user1', 'user2'], []), isMute: true },
  { name: 'hangs-up', said: ['QUIT'], heard: ['220 mx.hangs-up.test ESMTP'] },
  { name: 'hangs-up-unseen', heard: [] },
  rcptRow('hangs-up-at-rcpt', ['user1'], []),
  {
    name: 'http',
    heard: ['HTTP/1.1 400 Bad Request', 'Server: sandbox', 'Connection: close', 'Content-Length: 0'],
  },
  { name: 'hangs-up-at-ehlo', said: ['EHLO client.test'], heard: ['220 mx.hangs-up-at-ehlo.test'] },
  {
    name: 'hangs-up-at-mail',
    said: ['HELO client.test', 'MAIL FROM:<>'],
    heard: ['220 ', '250 mx.hangs-up-at-mail.test'],
  },
  rcptRow('hangs-up-mid-reply', ['user1'], ['550 5.1.1 no su']),
  {
    name: 'hangs-up-at-starttls',
    said: ['HELO client.test', 'MAIL FROM:<>', 'STARTTLS'],
    heard: ['220 ', '250 ', '530 5.7.0 Must issue', '220 2.0.0 Ready to start TLS'],
  },
  {
    name: 'replies-before-commands',
    heard: [
      '220 mx.replies-before-commands.test',
      '250 mx.replies-before-commands.test',
      '250 2.1.0',
      '250 2.1.5',
      '250 2.1.5',
    ],
    isMute: true,
  },
  {
    name: 'replies-too-often',
    said: ['HELO client.test', 'MAIL FROM:<>', 'QUIT'],
    heard: ['220 ', '250 ', '250 2.1.0', '250 2.1.0', bye],
  },
  rcptRow('nul-in-reply', ['user1', 'nobody'], ['250 \x002.1.5 \x00Ok', '550 \x005.1.1 \x00<nobody@', bye]),
  rcptRow('nul-before-code', ['user1'], ['\x00250 2.1.5', bye]),
  rcptRow('code-too-low', ['user1'], ['150 wait', bye]),
  rcptRow('unknown-code', ['user1'], ['999 9.9.9', bye]),
  {
    name: 'replies-twice',
    said: ['EHLO client.test', 'NOOP', 'QUIT'],
    heard: ['220 ', '250 one', '250 two', '250 2.0.0', bye],
  },
  {
    name: 'loses-pipelined',
    said: ['HELO client.test', 'NOOP', 'QUIT'],
    heard: ['220 ', '250 mx.loses-pipelined.test'],
    isMute: true,
  },
  {
    name: 'starttls-missing',
    said: ['EHLO client.test', 'STARTTLS', 'MAIL FROM:<>', 'QUIT'],
    heard: [
      '220 ',
      '250-mx.starttls-missing.test',
      '250-PIPELINING',
      '250-SIZE',
      '250-8BITMIME',
      '250 ENHANCEDSTATUSCODES',
      '502 5.5.1',
      '530 5.7.0 Must issue a STARTTLS command first',
      bye,
    ],
  },
  rcptRow('bulk', ['user1', 'user2', 'nobody'], [known, known, notThere, bye]),
  ...[1, 2, 3, 4].map(
    (number): Row => ({
      ...rcptRow(`hosting${number}`, ['user1', 'nobody'], [known, notThere, bye]),
      domain: `bulk${number * 5}.test`,
    }),
  ),
  rcptRow('bulk-catch-all', ['user1', 'nobody'], [known, known, bye]),
  rcptRow('bulk-greylisting', ['user1'], ['450 4.2.0', bye]),
];

/** Servers with a test of their own below. */
const elsewhere = [
  'ipv6',
  'tarpit',
  'endless-reply',
  'oversized-line',
  'garbage',
  'starttls-broken',
  'starttls-injected',
  'million-lines',
  'oversized-line-at-rcpt',
  'octet-a-second',
  'bare-cr',
  'bare-lf',
  'starttls-garbage',
  'certificate-huge',
];

it('every mail server is spoken to here', () => {
  const serving = personalities.filter(({ server }) => server !== undefined).map(({ name }) => name);
  expect([...rows.map(({ name }) => name), ...elsewhere].toSorted()).toEqual(serving.toSorted());
});

describe('on the wire', () => {
  it.each(rows)('$name', async ({ name, domain = `${name}.test`, asked, said, heard, isMute = false }) => {
    const recipients = asked?.map((localPart) => `RCPT TO:<${localPart}@${domain}>`);
    const commands = said ?? (recipients ? ['HELO client.test', 'MAIL FROM:<>', ...recipients, 'QUIT'] : []);
    const lines = await converse(sandbox, domain, commands, {
      isEarly: heard.length === 0,
      isLeaving: isMute,
    });
    expect(lines.map((line, index) => line.slice(0, heard[index]?.length))).toEqual(heard);
  });
});

describe('hostile in ways that a row cannot tell', () => {
  it('tarpit greets an octet at a time, and never ends', async () => {
    const peer = await openPeer(sandbox, 'tarpit.test');
    await peer.hearLines(2);
    expect(peer.heard).toMatch(/^(220-please hold the line\r\n){2}/);
    peer.socket.destroy();
  });

  it('endless-reply sends what is read and no more', async () => {
    const peer = await openPeer(sandbox, 'endless-reply.test');
    await peer.hearLines(100_000);
    const lines = peer.heard.slice(0, 2_300_000).split('\r\n').slice(0, -1);
    expect(new Set(lines)).toEqual(new Set(['220-and another line']));
    peer.socket.destroy();
  });

  it('oversized-line sends a megabyte before its first line end', async () => {
    const peer = await openPeer(sandbox, 'oversized-line.test');
    await peer.hearLines(1);
    expect(peer.heard).toMatch(/^220 x{1048576}\r\n$/);
    peer.socket.destroy();
  });

  it('garbage holds every octet, and nothing comes after it', async () => {
    const peer = await openPeer(sandbox, 'garbage.test');
    await peer.hear(/^.{512}$/s);
    peer.socket.end('EHLO client.test\r\n');
    expect(new Set(await peer.hearAll()).size).toBe(256);
  });

  it('million-lines ends after a million lines', async () => {
    const peer = await openPeer(sandbox, 'million-lines.test');
    let octets = 0;
    let last = '';
    peer.socket.removeAllListeners('data');
    await new Promise<void>((resolve) => {
      peer.socket.on('data', (chunk: Buffer) => {
        octets += chunk.length;
        last = chunk.toString('latin1');
        if (last.endsWith('220 at last\r\n')) resolve();
      });
    });
    expect(octets + peer.heard.length).toBe(6_000_000 + '220 at last\r\n'.length);
    peer.socket.destroy();
  });

  const askAboutUser1 = async (name: string) => {
    const peer = await openPeer(sandbox, `${name}.test`);
    await peer.hearLines(1);
    peer.socket.write(`HELO c.test\r\nMAIL FROM:<>\r\nRCPT TO:<user1@${name}.test>\r\n`);
    return peer;
  };

  it('oversized-line-at-rcpt sends a megabyte before the end of its line', async () => {
    const peer = await askAboutUser1('oversized-line-at-rcpt');
    await peer.hearLines(4);
    expect(peer.heard).toMatch(/^220 [^\n]*\n250 [^\n]*\n250 [^\n]*\n250 x{1048576}\r\n$/);
    peer.socket.destroy();
  });

  it('octet-a-second answers an octet at a time, and never ends', async () => {
    const peer = await askAboutUser1('octet-a-second');
    await peer.hearLines(5);
    expect(peer.heard).toMatch(/(250-still looking\r\n){2}/);
    peer.socket.destroy();
  });

  it('bare-cr greets and ends its line with CR alone', async () => {
    const peer = await openPeer(sandbox, 'bare-cr.test');
    await peer.hear(/^220 mx\.bare-cr\.test ESMTP\r$/);
    peer.socket.end('EHLO c.test\r\n');
    expect((await peer.hearAll()).endsWith('\n250 ENHANCEDSTATUSCODES\r\n')).toBe(true);
  });

  it('bare-lf ends no line with CR LF until it is told to QUIT', async () => {
    const peer = await openPeer(sandbox, 'bare-lf.test');
    await peer.hearLines(1);
    peer.socket.write('EHLO c.test\r\nMAIL FROM:<>\r\nRCPT TO:<user1@bare-lf.test>\r\nQUIT\r\n');
    expect(await peer.hearAll()).toBe(
      [
        '220 mx.bare-lf.test ESMTP',
        '250-mx.bare-lf.test',
        '250 PIPELINING',
        '250 2.1.0 Ok',
        '250 2.1.5 Ok',
        '221 2.0.0 Bye\r\n',
      ].join('\n'),
    );
  });

  it('ipv6 is there where the machine has IPv6, and exempt only then', async () => {
    const isThere = sandbox.examples.some(({ personality }) => personality === 'ipv6');
    expect(sandbox.allowHosts).toEqual(isThere ? ['127.26.0.0/16', '::1/128'] : ['127.26.0.0/16']);
    const asked = isThere ? await converse(sandbox, 'ipv6.test', ['QUIT']) : null;
    expect(asked).toEqual(isThere ? ['220 mx.ipv6.test ESMTP', '221 2.0.0 Bye'] : null);
  });
});

describe('TLS', () => {
  const startTls = async (domain: string) => {
    const peer = await openPeer(sandbox, domain);
    await peer.hearLines(1);
    peer.socket.write('EHLO client.test\r\n');
    await peer.hear(/^250 \S+\r\n/m);
    peer.socket.write('STARTTLS\r\n');
    await peer.hear(/220 2\.0\.0 Ready to start TLS\r\n/);
    return peer;
  };

  it.each(['starttls-required'])('%s takes mail behind a handshake, and offers none twice', async (name) => {
    const before = await startTls(`${name}.test`);
    const peer = await secure(before);
    peer.socket.write('EHLO client.test\r\n');
    await peer.hear(/^250 \S+\r\n/m);
    expect(peer.heard).not.toContain('STARTTLS');
    peer.socket.write(
      `MAIL FROM:<>\r\nRCPT TO:<user1@${name}.test>\r\nRCPT TO:<nobody@${name}.test>\r\nQUIT\r\n`,
    );
    expect(await peer.hearAll()).toMatch(/250 2\.1\.0 [^\n]*\n250 2\.1\.5 [^\n]*\n550 5\.1\.1 [^\n]*\n221 /);
  });

  it('starttls-injected says more in the clear behind its 220, and is honest behind the handshake', async () => {
    const before = await startTls('starttls-injected.test');
    await expect
      .poll(() => before.heard)
      .toMatch(/Ready to start TLS\r\n250 2\.1\.0 Ok\r\n250 2\.1\.5 Ok\r\n$/);
    const peer = await secure(before);
    peer.socket.write('EHLO c.test\r\nMAIL FROM:<>\r\nRCPT TO:<nobody@starttls-injected.test>\r\nQUIT\r\n');
    expect(await peer.hearAll()).toMatch(/250 2\.1\.0 Ok\r\n550 5\.1\.1 /);
  });

  it('starttls-garbage sends what only looks like TLS, unasked', async () => {
    const peer = await startTls('starttls-garbage.test');
    await peer.hear(/Ready to start TLS\r\n.{600}$/s);
    expect(peer.heard.slice(-600, -595)).toBe(String.fromCharCode(22, 3, 3, 64, 0));
    peer.socket.write('a hello');
    expect(await peer.hearAll()).toMatch(/This is no handshake/);
  });

  it('certificate-huge shows more than clients read', async () => {
    const peer = await startTls('certificate-huge.test');
    await expect(secure(peer)).rejects.toThrow(/excessive message size/i);
  });

  it('starttls-broken answers the handshake with text', async () => {
    const peer = await startTls('starttls-broken.test');
    await expect(secure(peer)).rejects.toThrow(/wrong version number|packet length|SSL/i);
  });
});

describe('memory', () => {
  const ask = (domain: string, localPart: string) =>
    converse(sandbox, domain, [
      'HELO client.test',
      'MAIL FROM:<>',
      `RCPT TO:<${localPart}@${domain}>`,
      'QUIT',
    ]);

  it.each(['greylisting', 'greylisting-delay', 'bulk-greylisting'])(
    '%s lets the same triplet pass after its time, and forgets it on reset',
    async (name) => {
      const answer = async () => (await ask(`${name}.test`, 'user-memory'))[3]?.slice(0, 3);
      sandbox.reset();
      expect(await answer()).toMatch(/^45[01]$/);
      await expect.poll(answer, { timeout: 5_000 }).toBe('250');
      expect((await ask(`${name}.test`, 'user-other'))[3]).toMatch(/^45[01]/);
      sandbox.reset();
      expect(await answer()).toMatch(/^45[01]$/);
    },
  );
});
