/** One Postfix with an `smtpd` for each of its habits, each at a loopback address of its own. */
import { readFile } from 'node:fs/promises';
import { type Box, findPort, makeBox } from './box.ts';
import type { ServerProcess } from './server-process.ts';

/** A habit: what `master.cf` overrides for this `smtpd`. */
const habits = {
  plain: [],
  // smtpd_delay_reject is Postfix's default: what is refused about us is only spoken at RCPT.
  client: [
    'smtpd_client_restrictions=check_client_access static:{554 5.7.1 Service unavailable; Client host [127.0.0.1] blocked using bl.example; https://bl.example/127.0.0.1}',
  ],
  helo: ['smtpd_helo_restrictions=check_helo_access static:{REJECT Host not found}'],
  sender: [
    'smtpd_sender_restrictions=check_sender_access static:{REJECT}',
    'smtpd_null_access_lookup_key=null',
  ],
  tenRecipients: ['smtpd_recipient_limit=10', 'smtpd_recipient_overshoot_limit=10'],
  fourErrors: ['smtpd_soft_error_limit=10', 'smtpd_hard_error_limit=4'],
  unverified: ['smtpd_recipient_restrictions=reject_unverified_recipient'],
  tls: ['smtpd_tls_security_level=encrypt'],
  discards: [
    'smtpd_discard_ehlo_keywords=pipelining,starttls,smtputf8,chunking',
    'smtpd_data_restrictions=reject_unauth_pipelining',
  ],
  greylists: [
    'smtpd_recipient_restrictions=reject_unauth_destination,check_policy_service inet:127.0.0.1:$policy_port',
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Habit = keyof typeof habits;
const names = Object.keys(habits) as Habit[];
const LOG = 'var/log/mail.log';

const writeMain = (policyPort: number): string => `
compatibility_level = 3.6
myhostname = mx.test
inet_interfaces = loopback-only
inet_protocols = ipv4
queue_directory = /var/spool/postfix
maillog_file = /${LOG}
policy_port = ${policyPort}
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
smtpd_peername_lookup = no
virtual_mailbox_domains = known.test, all.test
virtual_mailbox_maps = regexp:/etc/postfix/known
relay_domains = verified.test
relay_recipient_maps =
transport_maps = inline:{ { verified.test = relay:[127.0.0.1]:9 } }
smtpd_recipient_restrictions = reject_unauth_destination
address_verify_map =
address_verify_poll_count = 1
smtpd_tls_cert_file = /etc/postfix/cert.pem
smtpd_tls_key_file = /etc/postfix/key.pem
smtpd_tls_loglevel = 1
smtpd_client_connection_count_limit = 50
`;

const writeMaster = (port: number): string =>
  [
    ...names.map(
      (name) =>
        `${addressOf(name)}:${port} inet n - n - - smtpd -o syslog_name=${name} ${habits[name].map((text) => `-o {${text}}`).join(' ')}`,
    ),
    'cleanup unix n - n - 0 cleanup',
    'qmgr unix n - n 300 1 qmgr',
    'rewrite unix - - n - - trivial-rewrite',
    'bounce unix - - n - 0 bounce',
    'defer unix - - n - 0 bounce',
    'trace unix - - n - 0 bounce',
    'verify unix - - n - 1 verify',
    'proxymap unix - - n - - proxymap',
    'tlsmgr unix - - n 1000? 1 tlsmgr',
    'anvil unix - - n - 1 anvil',
    'relay unix - - n - - smtp',
    'error unix - - n - - error',
    'virtual unix - n n - - virtual',
    'postlog unix-dgram n - n - 1 postlogd',
    '',
  ].join('\n');

export const addressOf = (habit: Habit): string => `127.0.0.${41 + names.indexOf(habit)}`;

export type Postfix = {
  readonly port: number;
  /** What it logged for one habit, without time and process. */
  log(habit: Habit): Promise<string[]>;
  stop(): Promise<void>;
};

const readFixture = (name: string): Promise<string> =>
  readFile(new URL(`../smtp/${name}`, import.meta.url), 'utf8');

const startIn = async (box: Box, port: number, policyPort: number): Promise<ServerProcess> => {
  await box.write({
    'etc/postfix/main.cf': writeMain(policyPort),
    'etc/postfix/master.cf': writeMaster(port),
    'etc/postfix/known': '/^user[0-9]+@known\\.test$/ jo\n/@all\\.test$/ jo\n',
    'etc/postfix/cert.pem': await readFixture('mx.test.cert.pem'),
    'etc/postfix/key.pem': await readFixture('mx.test.key.pem'),
  });
  const queues = 'active bounce corrupt defer deferred flush hold incoming private saved trace'.split(' ');
  const spool = 'var/spool/postfix';
  await box.run(
    'mkdir',
    '-p',
    'var/lib/postfix',
    ...['pid', 'public', 'maildrop', ...queues].map((q) => `${spool}/${q}`),
  );
  await box.run('chown', '904', 'var/lib/postfix', ...queues.map((q) => `${spool}/${q}`));
  await box.run('chown', '904:905', `${spool}/public`, `${spool}/maildrop`);
  const server = await box.start('/usr/lib/postfix/sbin/master', ['-c', '/etc/postfix', '-d']);
  try {
    await box.line(LOG, /daemon started/);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
};

export const startPostfix = async (policyPort: number): Promise<Postfix> => {
  const box = await makeBox(['postfix'], { postfix: 904, postdrop: 905 });
  try {
    const port = await findPort();
    const server = await startIn(box, port, policyPort);
    return {
      port,
      log: async (habit) =>
        (await box.log(LOG)).flatMap((line) => {
          const [, name, text] = /^\S+ +\S+ \S+ \S+ (\w+)\/smtpd\[\d+\]: (.*)$/.exec(line) ?? [];
          return name === habit && text !== undefined ? [text] : [];
        }),
      async stop() {
        await server.stop();
        await box.remove();
      },
    };
  } catch (error) {
    await box.remove();
    throw error;
  }
};
