/**
 * Ports for servers that are stopped and come back. One that the system picked might be given to
 * somebody else while its server is down; these lie below those that systems give out.
 */
import { createServer } from 'node:net';
import { once } from 'node:events';
import { settings } from './settings.ts';

const PORT_COUNT = 500;
let next = 0;

/** A port on 127.0.0.1 that nobody listens on. It is this process's own for the next 500 calls. */
export async function ownPort(): Promise<number> {
  for (let tries = 0; tries < PORT_COUNT; tries += 1) {
    const port = settings.portFirst + (next % PORT_COUNT);
    next += 1;
    if (await isFree(port)) return port;
  }
  throw new Error(`No port is free from ${settings.portFirst} on.`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
  server.close();
  await once(server, 'close');
  return true;
}
