/** A thousand listeners of five people, and changes in a folder that all of them see. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import type { Measurement } from '../measurement.ts';
import { runProgram } from '../servers/children.ts';
import { PASSWORD, USER, addUser, runHoldfast } from '../servers/holdfast.ts';
import { percentile } from '../statistics.ts';
import type { Item, Subject } from './item.ts';

const LISTENER_COUNT = 1_000;
const RECEIVERS = ['bench-b', 'bench-c', 'bench-d', 'bench-e'];
const CHANGE_COUNT = 50;
/** Between changes: each is seen by all before the next one. */
const PAUSE_MS = 100;
const WAIT_MAX_MS = 60_000;
const FORM = 'application/x-www-form-urlencoded';
const FOLDER = 'seen-by-all';
/** Opened at once. */
const OPENING_COUNT = 50;

interface Heard {
  /** Names of files, by the time at which this listener heard of them. */
  readonly at: Map<string, number>;
  readonly socket: WebSocket;
}

interface Message {
  readonly reset?: boolean;
  readonly items?: readonly { readonly path?: string }[];
}

function authorization(user: string): string {
  return `Basic ${Buffer.from(`${user}:${PASSWORD}`).toString('base64')}`;
}

/** Resolves once the server has said from where it follows. */
function listen(port: number, user: string): Promise<Heard> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/v1/changes/socket`, {
    headers: { Authorization: authorization(user) }, perMessageDeflate: false,
  });
  const at = new Map<string, number>();
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', (data) => {
      const heardMs = performance.now();
      const message = JSON.parse((data as Buffer).toString()) as Message;
      if (message.reset === true) resolve({ at, socket });
      for (const { path = '' } of message.items ?? []) {
        const name = path.slice(path.lastIndexOf('/') + 1);
        if (!at.has(name)) at.set(name, heardMs);
      }
    });
  });
}

function rssBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib ?? 0) * 1024;
}

async function send(url: string, method: string, options: {
  body?: string; headers?: Record<string, string>;
} = {}): Promise<void> {
  const { body, headers = {} } = options;
  const answer = await fetch(url, {
    method, headers: { Authorization: authorization(USER), ...headers },
    ...(body !== undefined && { body }),
  });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`${method} answered ${answer.status}`);
}

async function share(port: number): Promise<void> {
  const root = `http://127.0.0.1:${port}`;
  await send(`${root}/remote.php/dav/files/${USER}/${FOLDER}`, 'MKCOL');
  for (const user of RECEIVERS) {
    const body = new URLSearchParams({
      path: `/${FOLDER}`, shareType: '0', shareWith: user, permissions: '1',
    }).toString();
    await send(`${root}/ocs/v2.php/apps/files_sharing/api/v1/shares`, 'POST', {
      body, headers: { 'OCS-APIRequest': 'true', 'Content-Type': FORM },
    });
  }
}

async function untilAllHeard(listeners: readonly Heard[], name: string): Promise<void> {
  const untilMs = performance.now() + WAIT_MAX_MS;
  while (!listeners.every(({ at }) => at.has(name))) {
    if (performance.now() > untilMs) throw new Error('not every listener heard of a change');
    await pause(5);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

export async function measureEvents(port: number, pid: number): Promise<Measurement> {
  await share(port);
  const users = [USER, ...RECEIVERS];
  // Everybody has signed in once before memory is looked at: hashing takes much for a moment.
  for (const user of users) (await listen(port, user)).socket.terminate();
  const beforeBytes = rssBytes(pid);
  const listeners: Heard[] = [];
  while (listeners.length < LISTENER_COUNT) {
    const opening = Array.from({ length: OPENING_COUNT }, (_, at) =>
      listen(port, users[(listeners.length + at) % users.length] ?? USER));
    listeners.push(...await Promise.all(opening));
  }
  const eachBytes = (rssBytes(pid) - beforeBytes) / LISTENER_COUNT;
  const times: number[] = [];
  for (let change = 0; change < CHANGE_COUNT; change += 1) {
    const name = `change-${change}`;
    const sentMs = performance.now();
    const url = `http://127.0.0.1:${port}/remote.php/dav/files/${USER}/${FOLDER}/${name}`;
    await send(url, 'PUT', { body: name });
    await untilAllHeard(listeners, name);
    for (const { at } of listeners) times.push((at.get(name) ?? Infinity) - sentMs);
    await pause(PAUSE_MS);
  }
  for (const { socket } of listeners) socket.terminate();
  times.sort((a, b) => a - b);
  const p99Ms = percentile(times, 0.99);
  return {
    value: p99Ms, unit: 'ms', p50Ms: percentile(times, 0.5), p99Ms,
    note: `${Math.round(eachBytes / 1024)} KiB for each listener`,
  };
}

async function run({ settings }: Subject): Promise<Measurement> {
  const { repository } = settings;
  const folder = join(settings.scratchFolder, 'events');
  rmSync(folder, { recursive: true, force: true });
  await addUser({ folder, repository });
  for (const user of RECEIVERS) {
    const added = await runProgram(join(repository, 'holdfast'), [
      'user', 'add', user, '--password-stdin', '--data', join(folder, 'data'),
    ], { input: `${PASSWORD}\n`, timeoutMs: 60_000 });
    if (added.status !== 0) throw new Error(`user add failed: ${added.output.slice(0, 2000)}`);
  }
  const { child, port } = await runHoldfast({ folder, repository });
  try {
    return await measureEvents(port, child.pid);
  } finally {
    await child.stop();
  }
}

/** From the sending of the PUT to the message that says so, over all changes and listeners. */
export const EVENT_ITEMS: readonly Item[] = [{
  id: 'events-1000', title: 'a change reaches 1,000 listeners, p99', group: 'events',
  isHoldfastOnly: true, roundsMax: 1, run,
}];
