/** An address that does not answer: its listener never accepts, and once its backlog is full, the kernel drops whoever comes next. */
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import { eventually } from './world.ts';

/** @param port 0: the system chooses */
export const startSilentListener = async (
  host: string,
  port = 0,
): Promise<{ readonly port: number; close(): Promise<void> }> => {
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     const server = require('node:net').createServer().listen({ ...workerData, backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
     });`,
    { eval: true, workerData: { host, port } },
  );
  const listening = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const fillers = Array.from({ length: 8 }, () => connect(listening, host).on('error', () => {}));
  await eventually(() => fillers.some((socket) => !socket.connecting));
  return {
    port: listening,
    close: async () => {
      for (const socket of fillers) socket.destroy();
      await worker.terminate();
    },
  };
};
