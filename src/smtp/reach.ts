/**
 * From one exchange to one TCP connection: its addresses are looked up, judged by the guard, and dialled from the source
 * or through the proxy that is set. What was tried is kept, in the order of trying, for the evidence.
 *
 * Refuses to choose the exchange, and to speak.
 */
import type { Socket } from 'node:net';
import type { ExchangeHost } from '../address/index.ts';
import type { HostAddresses, MailExchange } from '../dns/index.ts';
import {
  type Connection,
  type ConnectTo,
  connectDirectly,
  dialFirst,
  interleaveFamilies,
  STAGGER_BEHIND_PROXY_MS,
  STAGGER_MS,
} from './dial.ts';
import type { Guard } from './guard.ts';
import { MAX_ADDRESSES_PER_EXCHANGE, type Timeouts } from './limits.ts';
import { connectThrough, type Socks5Proxy } from './proxy.ts';
import type { SourcePool } from './source.ts';
import type { SessionLog } from './transcript.ts';
import type { ConnectAttempt, Phase } from './types.ts';

export type LookupAddresses = (host: ExchangeHost, signal: AbortSignal) => Promise<HostAddresses>;

export type ReachOptions = {
  readonly lookupAddresses: LookupAddresses;
  readonly guard: Guard;
  readonly port: number;
  readonly timeouts: Timeouts;
  readonly now: () => number;
  /** Where connections leave from; none: the system chooses. */
  readonly sources?: SourcePool | undefined;
  /** What they go through; then sources have no say. */
  readonly proxy?: Socks5Proxy | null | undefined;
};

type Context = {
  /** All of the set: together they have one source. */
  readonly exchanges: readonly MailExchange[];
  readonly log: SessionLog;
  readonly signal: AbortSignal;
  readonly tell: (phase: Phase, message: string, host: ExchangeHost) => void;
};

export class Reach {
  readonly #options: ReachOptions;
  readonly #context: Context;
  readonly #attempts: ConnectAttempt[] = [];
  /** The addresses that are tried now, in the order of trying; null while there is no answer. */
  readonly #dialling = new Map<string, ConnectAttempt | null>();

  constructor(options: ReachOptions, context: Context) {
    this.#options = options;
    this.#context = context;
  }

  /** Those that ended, in the order of trying. */
  get attempts(): readonly ConnectAttempt[] {
    return [...this.#attempts, ...this.#endedAttempts];
  }

  /** The addresses that may be connected to; the others are noted as attempts. */
  async lookup(host: ExchangeHost): Promise<readonly string[]> {
    const answer = await this.#options.lookupAddresses(host, this.#context.signal);
    if (this.#context.signal.aborted) return [];
    if (answer.kind === 'none') {
      this.#note({ host, ip: null, outcome: { kind: 'noAddress' } }, `${host} has no address`);
      return [];
    }
    if (answer.kind === 'failure') {
      const { failure } = answer;
      this.#note(
        { host, ip: null, outcome: { kind: 'dnsFailure', failure } },
        `addresses of ${host}: ${failure}`,
      );
      return [];
    }
    const ips = interleaveFamilies([...new Set(answer.addresses.map(({ ip }) => ip))]);
    return ips.slice(0, MAX_ADDRESSES_PER_EXCHANGE).flatMap((ip) => {
      const { isRoutable, range } = this.#options.guard.classifyAddress(ip);
      if (isRoutable) return [ip];
      this.#note(
        { host, ip, outcome: { kind: 'unroutable', range } },
        `${host} [${ip}] is ${range}: not connected to`,
      );
      return [];
    });
  }

  /** Null when it could not be connected to. */
  async connect(
    host: ExchangeHost,
    ips: readonly string[],
  ): Promise<{ readonly socket: Socket; readonly ip: string } | null> {
    const { port, timeouts } = this.#options;
    const { log, signal, tell } = this.#context;
    const dialled = await dialFirst({
      ips,
      signal,
      staggerMs: this.#options.proxy ? STAGGER_BEHIND_PROXY_MS : STAGGER_MS,
      connect: (ip, hungUp) => this.#connect({ ip, port }, { timeoutMs: timeouts.connectMs, signal: hungUp }),
      started: (ip) => {
        this.#dialling.set(ip, null);
        log.note(`connecting to ${host} [${ip}]:${port}${this.#describeRoute(ip)}`);
        tell('CONNECT', `connecting to ${host} [${ip}]`, host);
      },
      ended: (ip, connection) => this.#endDialling(host, ip, connection),
    });
    this.#attempts.push(...this.#endedAttempts);
    this.#dialling.clear();
    if (dialled.kind !== 'connected') return null;
    if (!signal.aborted) return dialled;
    dialled.socket.destroy();
    return null;
  }

  #endDialling(
    host: ExchangeHost,
    ip: string,
    connection: Exclude<Connection, { readonly kind: 'aborted' }>,
  ): void {
    if (connection.kind === 'connected') {
      this.#dialling.set(ip, { host, ip, outcome: { kind: 'connected' } });
      if (this.#dialling.size > 1) this.#context.log.note(`connected to [${ip}]`);
      this.#context.tell('GREETING', `connected to ${host} [${ip}], waiting for its greeting`, host);
      return;
    }
    this.#dialling.set(ip, { host, ip, outcome: connection });
    const why = connection.kind === 'connectFailed' ? connection.error : 'no answer in time';
    this.#context.log.note(`not connected${this.#dialling.size > 1 ? ` to [${ip}]` : ''}: ${why}`);
    this.#context.tell('CONNECT', `${host} [${ip}] is not connected: ${why}`, host);
  }

  readonly #connect: ConnectTo = (target, limits) => {
    const { proxy } = this.#options;
    if (proxy) return connectThrough(proxy)(target, limits);
    const source = this.#chooseSource(target.ip);
    return source === null
      ? // As the system says it of a source that the machine has not: our trouble, and no evidence about port 25.
        Promise.resolve({ kind: 'connectFailed', error: 'EADDRNOTAVAIL' })
      : connectDirectly(source)(target, limits);
  };

  #chooseSource(ip: string): string | null | undefined {
    const hosts = this.#context.exchanges.map(({ host }) => host);
    return this.#options.sources?.choose(hosts, ip);
  }

  #describeRoute(ip: string): string {
    if (this.#options.proxy) return ' through the proxy';
    const source = this.#chooseSource(ip);
    if (source === null) return ': none of our sources is of its family';
    return source ? ` from ${source}` : '';
  }

  get #endedAttempts(): readonly ConnectAttempt[] {
    return [...this.#dialling.values()].filter((attempt) => attempt !== null);
  }

  #note(attempt: ConnectAttempt, text: string): void {
    this.#attempts.push(attempt);
    this.#context.log.note(text);
    this.#context.tell('RESOLVE', text, attempt.host);
  }
}
