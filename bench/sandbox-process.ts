/**
 * The mail internet in a box in a process of its own, so that a bench measures us and not the peers beside us.
 * Prints one line of JSON with where it listens; ends when its standard input closes.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { startSandbox } from '../src/sandbox/index.ts';

export type SandboxProcess = {
  readonly dnsServers: readonly string[];
  readonly smtpPort: number;
  readonly allowHosts: readonly string[];
  close(): Promise<void>;
};

export const startSandboxProcess = async (): Promise<SandboxProcess> => {
  const child = spawn(process.execPath, [import.meta.filename], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for await (const line of createInterface({ input: child.stdout }))
    return {
      ...(JSON.parse(line) as Omit<SandboxProcess, 'close'>),
      close: () => {
        child.stdin.end();
        return ended;
      },
    };
  throw new Error('the sandbox process ended before it listened');
};

if (import.meta.main) {
  const { dnsServers, smtpPort, allowHosts, close } = await startSandbox();
  console.log(JSON.stringify({ dnsServers, smtpPort, allowHosts }));
  process.stdin.resume().once('end', () => close());
}
