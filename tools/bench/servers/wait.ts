import { connect } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from './children.ts';
import type { Endpoint } from '../load/connection.ts';

const START_MAX_MS = 20_000;

async function isListening({ host, port }: Endpoint): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false; // Refused: it does not listen yet. The caller has a deadline.
  } finally {
    socket.destroy();
  }
}

/** Waits until the port takes connections. @throws Error: the program ended, or 20 s are over. */
export async function waitUntilAnswered(child: Child, endpoint: Endpoint): Promise<void> {
  for (let waitedMs = 0; waitedMs < START_MAX_MS; waitedMs += 20) {
    if (!child.isRunning) throw new Error(`the server ended: ${child.output.slice(-400)}`);
    if (await isListening(endpoint)) return;
    await sleep(20);
  }
  await child.stop();
  throw new Error('the server does not listen');
}
