/** What the mail servers were told, in the order in which they were told it: counted in full, kept in a ring. */
import type { SandboxLogEntry } from './types.ts';

/** A list of a million would fill memory with its commands. */
const ENTRY_CEILING = 20_000;
const LINE_CEILING = 1_000;

export type SessionRecord = {
  /** A chunk of octets arrived: the lines that follow came with it. */
  chunk(): void;
  line(text: string): void;
};

export type Recorder = {
  open(ip: string): SessionRecord;
  /** Oldest first. */
  read(): readonly SandboxLogEntry[];
  readonly sessions: number;
  readonly commands: number;
  reset(): void;
};

export const createRecorder = (): Recorder => {
  let ring: SandboxLogEntry[] = [];
  let next = 0;
  let sessions = 0;
  let commands = 0;
  return {
    open(ip) {
      sessions += 1;
      const session = sessions;
      let batch = 0;
      return {
        chunk() {
          batch += 1;
        },
        line(text) {
          commands += 1;
          const line = text.length > LINE_CEILING ? text.slice(0, LINE_CEILING) : text;
          ring[next] = { session, ip, batch, line };
          next = (next + 1) % ENTRY_CEILING;
        },
      };
    },
    read: () => (ring.length < ENTRY_CEILING ? [...ring] : [...ring.slice(next), ...ring.slice(0, next)]),
    get sessions() {
      return sessions;
    },
    get commands() {
      return commands;
    },
    reset() {
      ring = [];
      next = 0;
      sessions = 0;
      commands = 0;
    },
  };
};
