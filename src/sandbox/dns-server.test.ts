import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type DecodedPacket, decode, encode, type RecordType } from 'dns-packet';
import { afterEach, describe, expect, it } from 'vitest';
import { type DnsServer, reverseName, startDnsServer, type Zones } from './dns-server.ts';

const zones: Zones = {
  'example.test': {
    a: ['192.0.2.1', '192.0.2.2'],
    aaaa: ['2001:db8::1'],
    mx: [{ preference: 10, exchange: 'mx.example.test' }],
    txt: ['short', ['two ', 'strings'], 'x'.repeat(600)],
    ns: ['ns.example.test'],
    soa: { minimumSeconds: 7 },
    ttlSeconds: 77,
  },
  'mx.example.test': { a: ['192.0.2.3'] },
  'null.test': { mx: [{ preference: 0, exchange: '.' }] },
  'alias.test': { cname: 'Example.TEST.' },
  'to-nowhere.test': { cname: 'nowhere.test' },
  'circle.test': { cname: 'elcric.test' },
  'elcric.test': { cname: 'circle.test' },
  'to-failing.test': { cname: 'servfail.test' },
  '*.wild.test': { a: ['192.0.2.4'] },
  'own.wild.test': { txt: ['not the wildcard'] },
  'servfail.test': { behaviour: 'SERVFAIL' },
  'refused.test': { behaviour: 'REFUSED' },
  'formerr.test': { behaviour: 'FORMERR' },
  'notimp.test': { behaviour: 'NOTIMP' },
  'nodata.test': { a: ['192.0.2.5'], behaviour: 'NODATA' },
  'nxdomain.test': { a: ['192.0.2.5'], behaviour: 'NXDOMAIN' },
  'garbage.test': { behaviour: 'GARBAGE' },
  'truncated.test': { a: ['192.0.2.6'], behaviour: 'TRUNCATED' },
  'half.test': { a: ['192.0.2.7'], behaviour: { MX: 'SERVFAIL' } },
  'large.test': { txt: Array.from({ length: 30 }, (_, index) => `${index} ${'y'.repeat(200)}`) },
  [reverseName('192.0.2.1')]: { ptr: ['example.test'] },
  [reverseName('2001:db8::1')]: { ptr: ['six.example.test'] },
};

let server: DnsServer;
afterEach(() => server?.close());

const printQuery = (name: string, type: string): Buffer =>
  encode({ type: 'query', id: 4711, flags: 0x0100, questions: [{ name, type: type as RecordType }] });

/** The raw response to raw octets. */
const askUdp = async (query: Buffer): Promise<Buffer> => {
  const socket = createSocket('udp4');
  try {
    socket.send(query, server.port, '127.0.0.1');
    const [response] = await once(socket, 'message', { signal: AbortSignal.timeout(5_000) });
    return response;
  } finally {
    socket.close();
  }
};

const ask = async (name: string, type: string) => summarise(decode(await askUdp(printQuery(name, type))));

const summarise = (response: DecodedPacket) => ({
  id: response.id,
  rcode: (response.flags ?? 0) & 15,
  isCut: response.flag_tc,
  answers: (response.answers ?? []).map(
    (answer) =>
      `${answer.name} ${'ttl' in answer ? answer.ttl : ''} ${answer.type} ${
        'data' in answer ? printData(answer.data) : ''
      }`,
  ),
  soa: (response.authorities ?? []).map(({ name, ...rest }) => `${name} ${'ttl' in rest ? rest.ttl : ''}`),
});

const printData = (data: unknown): string =>
  Array.isArray(data)
    ? data.map((string) => (string.length > 20 ? string.length : `${string}`)).join('|')
    : typeof data === 'string'
      ? data
      : Object.values(data as object).join(' ');

describe('answers', () => {
  const rows: [string, string, string[]][] = [
    ['example.test', 'A', ['example.test 77 A 192.0.2.1', 'example.test 77 A 192.0.2.2']],
    ['EXAMPLE.test', 'AAAA', ['example.test 77 AAAA 2001:db8::1']],
    ['example.test', 'MX', ['example.test 77 MX 10 mx.example.test']],
    ['example.test', 'NS', ['example.test 77 NS ns.example.test']],
    ['null.test', 'MX', ['null.test 60 MX 0 .']],
    ['alias.test', 'MX', ['alias.test 60 CNAME example.test', 'example.test 77 MX 10 mx.example.test']],
    ['alias.test', 'CNAME', ['alias.test 60 CNAME example.test']],
    ['a.wild.test', 'A', ['a.wild.test 60 A 192.0.2.4']],
    ['a.b.wild.test', 'A', ['a.b.wild.test 60 A 192.0.2.4']],
    ['half.test', 'A', ['half.test 60 A 192.0.2.7']],
    ['1.2.0.192.in-addr.arpa', 'PTR', ['1.2.0.192.in-addr.arpa 60 PTR example.test']],
    [reverseName('2001:db8::1'), 'PTR', [`${reverseName('2001:db8::1')} 60 PTR six.example.test`]],
  ];
  it.each(rows)('%s %s', async (name, type, answers) => {
    server = await startDnsServer({ zones });
    expect(await ask(name, type)).toMatchObject({ id: 4711, rcode: 0, isCut: false, answers });
  });

  it('cuts TXT into strings of 255 octets and keeps given ones', async () => {
    server = await startDnsServer({ zones });
    expect((await askTcp([printQuery('example.test', 'TXT')]))[0]?.answers).toEqual([
      'example.test 77 TXT short',
      'example.test 77 TXT two |strings',
      'example.test 77 TXT 255|255|90',
    ]);
  });
});

describe('negative answers and faults', () => {
  const rows: [string, string, number, string[]][] = [
    ['nowhere.test', 'A', 3, ['test 30']],
    ['below.mx.example.test', 'A', 3, ['example.test 7']],
    ['mx.example.test', 'MX', 0, ['example.test 7']],
    ['test', 'MX', 0, ['test 30']],
    ['own.wild.test', 'A', 0, ['test 30']],
    ['to-nowhere.test', 'MX', 3, ['test 30']],
    ['nodata.test', 'A', 0, ['test 30']],
    ['nxdomain.test', 'A', 3, ['test 30']],
    ['circle.test', 'A', 2, []],
    ['to-failing.test', 'A', 2, []],
    ['servfail.test', 'A', 2, []],
    ['half.test', 'MX', 2, []],
    ['notimp.test', 'A', 4, []],
    ['refused.test', 'A', 5, []],
    ['formerr.test', 'A', 1, []],
  ];
  it.each(rows)('%s %s is rcode %i', async (name, type, rcode, soa) => {
    server = await startDnsServer({ zones });
    const response = await ask(name, type);
    expect(response).toMatchObject({ rcode, soa });
    expect(response.answers.filter((answer) => !answer.includes('CNAME'))).toEqual([]);
  });

  it('promises records that are not there when it is told to send garbage', async () => {
    server = await startDnsServer({ zones });
    const response = await askUdp(printQuery('garbage.test', 'A'));
    expect(response.readUInt16BE(0)).toBe(4711);
    expect(() => decode(response)).toThrow();
  });

  it('says FORMERR to what it cannot read and nothing to a response or a fragment', async () => {
    server = await startDnsServer({ zones });
    const malformed = printQuery('example.test', 'A').subarray(0, 20);
    expect((await askUdp(malformed)).readUInt16BE(2) & 15).toBe(1);
    const noQuestion = encode({ type: 'query', id: 1, questions: [] });
    expect((await askUdp(noQuestion)).readUInt16BE(2) & 15).toBe(1);

    const socket = createSocket('udp4');
    const heard: Buffer[] = [];
    socket.on('message', (message) => heard.push(message));
    socket.send(encode({ type: 'response', id: 9, questions: [] }), server.port, '127.0.0.1');
    socket.send(Buffer.from([1, 2, 3]), server.port, '127.0.0.1');
    // UDP on loopback keeps the order: once this is answered, the two before it were not.
    socket.send(printQuery('example.test', 'A'), server.port, '127.0.0.1');
    await once(socket, 'message', { signal: AbortSignal.timeout(5_000) });
    expect(heard.map((message) => message.readUInt16BE(0))).toEqual([4711]);
    socket.close();
  });
});

/** Sends the queries as one write, cut at each octet when `isCut`; the responses in their order. */
const askTcp = async (queries: Buffer[], isCut = false) => {
  const socket = connect(server.port, '127.0.0.1');
  const stream = Buffer.concat(
    queries.flatMap((query) => [Buffer.from([query.length >> 8, query.length & 255]), query]),
  );
  for (const octets of isCut ? Array.from(stream, (octet) => Buffer.from([octet])) : [stream])
    socket.write(octets);
  const responses: ReturnType<typeof summarise>[] = [];
  let pending = Buffer.alloc(0);
  for await (const chunk of socket) {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      responses.push(summarise(decode(pending.subarray(2, 2 + pending.readUInt16BE(0)))));
      pending = pending.subarray(2 + pending.readUInt16BE(0));
    }
    if (responses.length === queries.length) break;
  }
  return responses;
};

describe('transports', () => {
  it('truncates over UDP, on command and when the answer is too long, and answers in full over TCP', async () => {
    server = await startDnsServer({ zones });
    for (const [name, type, count] of [
      ['truncated.test', 'A', 1],
      ['large.test', 'TXT', 30],
    ] as const) {
      expect(await ask(name, type)).toMatchObject({ isCut: true, answers: [] });
      const [whole] = await askTcp([printQuery(name, type)]);
      expect(whole).toMatchObject({ isCut: false });
      expect(whole?.answers).toHaveLength(count);
    }
    expect(server.log.map(({ transport }) => transport)).toEqual(['udp', 'tcp', 'udp', 'tcp']);
  });

  it('answers several queries on one connection, also octet by octet', async () => {
    server = await startDnsServer({ zones });
    const queries = [printQuery('mx.example.test', 'A'), printQuery('a.wild.test', 'A')];
    const expected = [
      { answers: ['mx.example.test 60 A 192.0.2.3'] },
      { answers: ['a.wild.test 60 A 192.0.2.4'] },
    ];
    expect(await askTcp(queries)).toMatchObject(expected);
    expect(await askTcp(queries, true)).toMatchObject(expected);
  });

  it('keeps the answer back for as long as it is told', async () => {
    server = await startDnsServer({ zones: { 'slow.test': { a: ['192.0.2.1'], delayMs: 80 } } });
    const startedAt = performance.now();
    expect(await ask('slow.test', 'A')).toMatchObject({ answers: ['slow.test 60 A 192.0.2.1'] });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(75);
  });
});

describe('zones', () => {
  it('may be a function, and one that fails is SERVFAIL', async () => {
    server = await startDnsServer({
      zones: ({ name }) => {
        if (name === 'bug.test') throw new Error('a bug in a zone function');
        return name.endsWith('.bulk.test') ? { a: ['192.0.2.9'] } : null;
      },
    });
    expect(await ask('one.bulk.test', 'A')).toMatchObject({ answers: ['one.bulk.test 60 A 192.0.2.9'] });
    expect(await ask('other.test', 'A')).toMatchObject({ rcode: 3 });
    expect(await ask('bug.test', 'A')).toMatchObject({ rcode: 2 });
  });

  it('can be changed while it runs', async () => {
    server = await startDnsServer({ zones });
    server.setRecords('mx.example.test', { a: ['192.0.2.33'] });
    server.setRecords('null.test', null);
    expect(await ask('mx.example.test', 'A')).toMatchObject({ answers: ['mx.example.test 60 A 192.0.2.33'] });
    expect(await ask('null.test', 'MX')).toMatchObject({ rcode: 3 });
  });

  it('refuses at start what is no record', async () => {
    await expect(startDnsServer({ zones: { 'bad.test': { a: ['not an address'] } } })).rejects.toThrow(
      'bad.test',
    );
  });
});

it('counts and logs questions, and keeps silent when told to', async () => {
  server = await startDnsServer({
    zones: { 'silent.test': { behaviour: 'SILENCE' }, 'a.test': { a: ['192.0.2.1'] } },
  });
  const socket = createSocket('udp4');
  socket.send(printQuery('silent.test', 'MX'), server.port, '127.0.0.1');
  socket.send(printQuery('a.test', 'A'), server.port, '127.0.0.1');
  const [first] = await once(socket, 'message', { signal: AbortSignal.timeout(5_000) });
  expect(summarise(decode(first)).answers).toEqual(['a.test 60 A 192.0.2.1']);
  expect(server.queries).toBe(2);
  expect(server.log).toEqual([
    { name: 'silent.test', type: 'MX', transport: 'udp' },
    { name: 'a.test', type: 'A', transport: 'udp' },
  ]);
  socket.close();
});

it('frees its port on close, with an answer still delayed and a connection open', async () => {
  server = await startDnsServer({ zones: { 'slow.test': { delayMs: 60_000 } } });
  const { port } = server;
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const query = printQuery('slow.test', 'A');
  socket.write(Buffer.concat([Buffer.from([0, query.length]), query]));
  await expect.poll(() => server.queries).toBe(1);
  const isGone = once(socket, 'close');
  await server.close();
  await isGone;
  server = await startDnsServer({ zones, port });
  expect(server.port).toBe(port);
});

it('never throws for octets of any kind', async () => {
  server = await startDnsServer({ zones });
  const socket = createSocket('udp4');
  const whole = printQuery('example.test', 'MX');
  for (let index = 0; index < whole.length; index += 1) {
    for (const octet of [0x00, 0x3f, 0x7f, 0xc0, 0xff]) {
      const bent = Buffer.from(whole);
      bent[index] = octet;
      socket.send(bent, server.port, '127.0.0.1');
    }
  }
  socket.close();
  expect(await ask('example.test', 'MX')).toMatchObject({ rcode: 0 });
});
