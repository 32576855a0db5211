/** Starts a sandbox, opens connections, closes it, twice; then the process must end by itself. */
import { startSandbox } from '../../src/sandbox/index.ts';
import { openPeers } from './client.ts';

for (let round = 0; round < 2; round += 1) {
  const sandbox = await startSandbox({ pace: 1 });
  const peers = await openPeers(sandbox);
  await sandbox.close();
  for (const { socket } of peers) socket.resume();
  await Promise.all(peers.map((peer) => peer.hearAll()));
}
process.disconnect?.();
