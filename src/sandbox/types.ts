/** What the sandbox shows to those who ask it. */

/** What a verdict on the address must be, in the words of the verdict's table; plain strings, since sandbox knows no verdicts. */
export type Expectation = {
  readonly status: 'DELIVERABLE' | 'RISKY' | 'UNDELIVERABLE' | 'UNKNOWN';
  readonly reason: string;
};

export type SandboxExample = {
  /** Who answers: one row of the table of personalities. */
  readonly personality: string;
  /** An address to try. */
  readonly address: string;
  /** What happens there, in one sentence. */
  readonly about: string;
  /** Of the first question to a fresh sandbox: some personalities remember who has asked. */
  readonly expected: Expectation;
};

/** One line that a mail server was told. */
export type SandboxLogEntry = {
  /** Counts the connections since start or reset, over all servers. */
  readonly session: number;
  /** The address of the server that was spoken to. */
  readonly ip: string;
  /** Counts the chunks that arrived in the session: lines with the same number came in one write. */
  readonly batch: number;
  /** The command without CRLF, as it came, at most 1,000 characters of it. */
  readonly line: string;
};

type SandboxCounts = {
  readonly dnsQueries: number;
  readonly smtpSessions: number;
  readonly smtpCommands: number;
};

export type SandboxOptions = {
  /** Of every mail server. Default 0: chosen by the system, the same at all addresses. */
  readonly smtpPort?: number;
  /** Default 0: chosen by the system. */
  readonly dnsPort?: number;
  /** Factor on every delay that a personality takes, 0 to 1; default 1. Tests use small ones. */
  readonly pace?: number;
};

export type Sandbox = {
  /** `ip:port`, for RCPT_DNS_SERVERS. */
  readonly dnsServers: readonly string[];
  /** For RCPT_SMTP_PORT. */
  readonly smtpPort: number;
  /** CIDRs, for RCPT_ALLOW_HOSTS: the sandbox's own servers and nothing else of the loopback. */
  readonly allowHosts: readonly string[];
  readonly examples: readonly SandboxExample[];
  /** Since start or the last reset. */
  counts(): SandboxCounts;
  /** The newest 20,000 lines that mail servers were told, oldest first; of one domain's servers when it is named. */
  log(domain?: string): readonly SandboxLogEntry[];
  /** Forgets counts and log, and makes every server forget whom it has seen. Open sessions go on. */
  reset(): void;
  /** Ends every connection at once and frees every port. */
  close(): Promise<void>;
};
