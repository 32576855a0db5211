/** Exim 4.96: its words for refusing are its administrator's, it may put off and delay, and it need not offer PIPELINING. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Prober } from '../../src/smtp/index.ts';
import { makeProber } from '../smtp/world.ts';
import { type Box, describeServer, findPort, makeBox } from './box.ts';
import type { ServerProcess } from './server-process.ts';
import { names, verify, verifyAll } from './verdict.ts';

/** Two addresses of one server: PIPELINING is offered at the first only. */
const PIPELINED = '127.0.0.21';
const PLAIN = '127.0.0.22';
const LOG = 'var/log/exim4/mainlog';

const writeConfig = (port: number): string => `
primary_hostname = mx.test
exim_user = Debian-exim
exim_group = Debian-exim
keep_environment =
daemon_smtp_ports = ${port}
local_interfaces = ${PIPELINED} : ${PLAIN}
pipelining_advertise_hosts = \${if eq{$received_ip_address}{${PIPELINED}}{*}{}}
tls_advertise_hosts =
host_lookup =
rfc1413_query_timeout = 0s
log_selector = +smtp_connection +incoming_interface +incoming_port
log_file_path = /var/log/exim4/%slog
domainlist ours = known.test : all.test : slow.test : later.test : listed.test : full.test
acl_smtp_rcpt = rcpt

begin acl
rcpt:
  deny    message = $sender_host_address is listed at bl.example (127.0.0.2: see https://bl.example/)
          domains = listed.test
  defer   message = Greylisted, please try again in 300 seconds
          domains = later.test
  deny    message = 552 5.2.2 Mailbox is full
          domains = full.test
  warn    domains = slow.test
          delay = 1s
  accept  domains = +ours
          verify = recipient
  deny    domains = +ours
          message = Unknown user
  deny    message = relay not permitted

begin routers
nobody:
  driver = redirect
  domains = known.test : slow.test
  condition = \${if match{$local_part}{^user}{no}{yes}}
  allow_fail
  data = :fail: No such user here
here:
  driver = accept
  domains = +ours
  transport = nowhere

begin transports
nowhere:
  driver = appendfile
  file = /dev/null
  user = Debian-exim
`;

describeServer('Exim', ['exim4-daemon-light'], () => {
  let box: Box;
  let server: ServerProcess;
  let port: number;
  const probers: Prober[] = [];

  const open = (ip: string): Prober => {
    const prober = makeProber({
      port,
      addresses: { 'mx.test': [ip] },
      timeouts: { rcptToMs: 15_000, patienceMs: 5_000 },
    });
    probers.push(prober);
    return prober;
  };

  beforeAll(async () => {
    box = await makeBox(['exim4-daemon-light'], { 'Debian-exim': 903, mail: 8, adm: 4 });
    port = await findPort();
    await box.write({
      'etc/exim4/rcpt.conf': writeConfig(port),
      'var/log/exim4/.keep': '',
      'var/spool/exim4/.keep': '',
    });
    await box.run('chown', '-R', '903:903', 'var/log/exim4', 'var/spool/exim4');
    server = await box.start('/usr/sbin/exim4', [
      '-C',
      '/etc/exim4/rcpt.conf',
      '-bdf',
      '-oP',
      '/run/exim.pid',
    ]);
    await box.line(LOG, /daemon started/);
  });
  afterAll(async () => {
    await server?.stop();
    await box?.remove();
  });
  afterEach(async () => {
    for (const prober of probers.splice(0)) await prober.close();
  });

  /** Lines since a moment, of one session each where they belong to one. */
  let earlier = 0;
  beforeEach(async () => {
    earlier = (await box.log(LOG)).length;
  });
  const lines = async (pattern: RegExp): Promise<string[]> =>
    (await box.log(LOG)).slice(earlier).filter((line) => pattern.test(line));

  it.each([
    ['user1@known.test', 'MAILBOX_EXISTS', '250 Accepted'],
    ['nobody@known.test', 'MAILBOX_NOT_FOUND', '550 Unknown user'],
    ['anybody@all.test', 'CATCH_ALL', '250 Accepted'],
    [
      'jo@listed.test',
      'PROBER_BLOCKED',
      '550 127.0.0.1 is listed at bl.example (127.0.0.2: see https://bl.example/)',
    ],
    ['jo@later.test', 'GREYLISTED', '451 Greylisted, please try again in 300 seconds'],
    ['jo@full.test', 'MAILBOX_FULL', '552 5.2.2 Mailbox is full'],
    ['jo@elsewhere.test', 'POLICY_REFUSED', '550 relay not permitted'],
    ['user1@slow.test', 'MAILBOX_EXISTS', '250 Accepted'],
    ['nobody@slow.test', 'MAILBOX_NOT_FOUND', '550 Unknown user'],
  ])('says of %s %s, with PIPELINING and without', async (text, reason, said) => {
    for (const ip of [PIPELINED, PLAIN]) expect(await verify(open(ip), text)).toMatchObject({ said, reason });
  });

  it.each([
    ['with PIPELINING', PIPELINED],
    ['without', PLAIN],
  ])('takes fifty, eight refusals a session, and is left with QUIT: %s', async (_, ip) => {
    const prober = open(ip);
    const texts = [...names('user', 30, 'known.test'), ...names('nobody', 20, 'known.test')];
    const answered = await verifyAll(prober, texts, { priority: 'bulk' });
    expect(answered.map(({ reason }) => reason)).toEqual([
      ...Array(30).fill('MAILBOX_EXISTS'),
      ...Array(20).fill('MAILBOX_NOT_FOUND'),
    ]);
    await prober.close();
    const opened = prober.stats.sessionsOpened;
    await expect.poll(async () => (await lines(/closed by QUIT/)).length, { timeout: 10_000 }).toBe(opened);
    expect(await lines(/SMTP connection from \[.*TCP\/IP connection count/)).toHaveLength(opened);
    const refusals = new Map<string, number>();
    for (const line of await lines(/rejected RCPT/)) {
      const session = /\[127\.0\.0\.1\]:(\d+)/.exec(line)?.[1] ?? line;
      refusals.set(session, (refusals.get(session) ?? 0) + 1);
    }
    expect([...refusals.values()].reduce((sum, one) => sum + one, 0)).toBeGreaterThanOrEqual(20);
    expect(Math.max(...refusals.values())).toBeLessThanOrEqual(8);
    expect(await lines(/synchronization|too many|unexpected disconnection|lost/)).toEqual([]);
  });
});
