/**
 * Azurite for tests: Microsoft's own emulator of Azure Blob storage, which checks signatures and
 * MD5s. It keeps everything in memory. It has its own folder, test/servers/azurite, as its packages
 * take more room than all others; `npm ci` there installs it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../../../platform/index.ts';
import { sharedKeyOf } from '../shared-key.ts';

const HOME = fileURLToPath(new URL('../../../../../test/servers/azurite/', import.meta.url));
const PROGRAM = join(HOME, 'node_modules/azurite/dist/src/blob/main.js');

export const AZURITE_ACCOUNT = 'holdfasttest';
export const AZURITE_CONTAINER = 'holdfast-test';
/** Any 64 bytes will do. */
export const AZURITE_KEY = createHash('sha512').update('for tests').digest('base64');

/** Why there is no Azurite here; undefined when there is. */
export function azuriteMissing(): string | undefined {
  return existsSync(PROGRAM) ? undefined : 'not installed: run npm ci in test/servers/azurite';
}

export class Azurite {
  /** With the account as the path. */
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.url = url;
    this.#child = child;
    this.#folder = folder;
  }

  /** With an empty container in it. */
  static async start(): Promise<Azurite> {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-azurite-'));
    const args = [
      '--no-deprecation', PROGRAM, '--blobHost', '127.0.0.1', '--blobPort', '0',
      '--inMemoryPersistence', '--extentMemoryLimit', '512', '--silent', '--disableTelemetry',
    ];
    const child = spawn(process.execPath, args, {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { AZURITE_ACCOUNTS: `${AZURITE_ACCOUNT}:${AZURITE_KEY}` },
    });
    let said = '';
    for await (const part of child.stdout) {
      said += String(part);
      const address = /listens on (http:\S+)/.exec(said)?.[1];
      if (address === undefined) continue;
      const server = new Azurite(`${address}/${AZURITE_ACCOUNT}`, child, folder);
      await server.request('PUT', '?restype=container');
      return server;
    }
    throw new Error(`Azurite did not start: ${said}`);
  }

  /** Something behind the store's back: `path` begins in the container. */
  async request(
    method: string, path: string, body?: Buffer, more: Record<string, string> = {},
  ): Promise<Response> {
    const url = new URL(`${this.url}/${AZURITE_CONTAINER}${path}`);
    const headers: Record<string, string> = {
      'x-ms-date': new Date(systemClock.now()).toUTCString(), 'x-ms-version': '2020-10-02', ...more,
      ...(body !== undefined && { 'content-length': String(body.length) }),
    };
    const signed = { method, path: url.pathname + url.search, headers };
    const authorization = sharedKeyOf(signed, AZURITE_ACCOUNT, Buffer.from(AZURITE_KEY, 'base64'));
    const answer = await fetch(url, {
      method, headers: { ...headers, authorization },
      ...(body !== undefined && { body: new Uint8Array(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }

  /** Puts other bytes in a blob's place, as a fault of the service would. */
  async overwrite(key: string, bytes: Buffer): Promise<void> {
    const headers = { 'x-ms-blob-type': 'BlockBlob', 'content-type': 'application/octet-stream' };
    await this.request('PUT', `/${key}`, bytes, headers);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
      await once(this.#child, 'exit');
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}
