/** What a server says of itself while a session is opened, and who is told of it as it happens. */
import type { ExchangeHost } from '../address/index.ts';
import type { Capabilities, Command, Reply } from './protocol/index.ts';
import type { Phase, TlsFacts } from './types.ts';

/** Stays when the opening failed later on. */
export type Introduction = {
  /** The reply that greeted us, a refusal included; null before it came. */
  readonly banner: Reply | null;
  /** The last reply to EHLO or HELO that was accepted, and what it offered. */
  readonly ehlo: Reply | null;
  readonly capabilities: Capabilities | null;
  /** Before TLS; after it nobody offers it again. */
  readonly offeredStartTls: boolean;
  readonly tls: TlsFacts | null;
};

/** Holds nothing about anybody who is asked about: nobody is, yet. */
export type OnProgress = (phase: Phase, message: string, reply: Reply | null) => void;

export class IntroductionRecord {
  readonly #host: ExchangeHost;
  readonly #onProgress: OnProgress;
  /** The command whose reply is awaited; null before the greeting. */
  #lastVerb: Command['verb'] | null = null;
  #facts: Introduction = { banner: null, ehlo: null, capabilities: null, offeredStartTls: false, tls: null };

  constructor(host: ExchangeHost, onProgress: OnProgress = () => {}) {
    this.#host = host;
    this.#onProgress = onProgress;
  }

  get facts(): Introduction {
    return this.#facts;
  }

  sent({ verb }: Command): void {
    this.#lastVerb = verb;
  }

  received(reply: Reply): void {
    const verb = this.#lastVerb;
    const { code } = reply;
    if (verb === null) {
      this.#facts = { ...this.#facts, banner: reply };
      this.#onProgress('GREETING', `${this.#host} greets with ${code}`, reply);
    } else if (verb === 'EHLO' || verb === 'HELO') {
      if (code < 300) this.#facts = { ...this.#facts, ehlo: reply };
      this.#onProgress('EHLO', `${this.#host} answers ${verb} with ${code}`, reply);
    } else if (verb === 'STARTTLS') {
      this.#onProgress('STARTTLS', `${this.#host} answers STARTTLS with ${code}`, reply);
    }
  }

  offered(capabilities: Capabilities): void {
    const offeredStartTls = this.#facts.offeredStartTls || capabilities.offersStartTls;
    this.#facts = { ...this.#facts, capabilities, offeredStartTls };
  }

  secured(tls: TlsFacts): void {
    this.#facts = { ...this.#facts, tls };
    this.#onProgress('TLS_HANDSHAKE', `${this.#host} speaks ${tls.version}`, null);
  }
}
