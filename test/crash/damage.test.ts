/**
 * Bits flip and files are cut while the server is down. Whatever it does then, start or refuse,
 * nobody is ever given wrong bytes.
 */
import { before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import {
  closeSync, cpSync, fstatSync, openSync, readFileSync, readSync, readdirSync, statSync,
  truncateSync, writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { fingerprint } from '../support/dav-client.ts';
import type { DavClient } from '../support/dav-client.ts';
import { SeededRandom } from '../support/random.ts';
import { scratchFolder } from '../support/scratch.ts';
import { TestServer, serverForTests } from '../support/server.ts';
import { settings } from '../support/settings.ts';
import { seededBytes } from '../support/trees.ts';

const FLIPS = 16;
const CUTS = 8;
const CREDENTIALS = ['ada', 'correct-horse-battery'] as const;

/** Small and large ones. */
const AIMED = [10, 20, 3, 17, 39];

function contentOf(n: number): Buffer {
  return seededBytes(n % 10 === 0 ? 1_500_000 : n * 300, `damage ${n}`);
}

const inVolumes = (name: string): boolean => name.startsWith('volumes');
const inMetadata = (name: string): boolean => name.startsWith('metadata.db');

interface Tally {
  refused: number;
  right: number;
  errors: number;
}

describe('damage while the server is down', { timeout: 600_000 }, () => {
  const servers = serverForTests();
  const golden = scratchFolder('golden');
  const files = new Map<string, string>();
  const random = new SeededRandom(settings.crashSeed);

  before(async () => {
    const server = await servers.start();
    const user = await server.addUser();
    for (let n = 0; n < 40; n += 1) {
      const bytes = contentOf(n);
      files.set(`file ${n}`, fingerprint(bytes));
      assert.equal((await user.put(`file ${n}`, bytes)).status, 201);
    }
    // Killed, not stopped: the logs of the databases are still there to be damaged as well.
    await server.kill();
    cpSync(server.data, golden, { recursive: true });
  });

  function filesOf(root: string, isWanted: (name: string) => boolean): string[] {
    const names = readdirSync(root, { recursive: true, encoding: 'utf8' });
    const paths = names.filter(isWanted).map((name) => join(root, name));
    return paths.filter((path) => statSync(path).isFile() && statSync(path).size > 0);
  }

  /** Damages a copy, starts on it and reads everything. */
  async function tryOut(
    isWanted: (name: string) => boolean, damage: (path: string) => string, tally: Tally,
    mayMiss: boolean,
  ): Promise<void> {
    const root = join(scratchFolder('damaged'), 'data');
    cpSync(golden, root, { recursive: true });
    const what = damage(random.pick(filesOf(root, isWanted)));
    let server: TestServer;
    try {
      server = await TestServer.start({ data: root });
    } catch (error) {
      assert.match(String(error), /damaged|cut off|corrupt|missing|version|not |lost/i, what);
      assert.doesNotMatch(String(error), /Something went wrong that should not/, what);
      tally.refused += 1;
      return;
    }
    try {
      await readAll(server.client(...CREDENTIALS), what, tally, mayMiss);
    } finally {
      await server.kill();
    }
  }

  async function readAll(
    user: DavClient, what: string, tally: Tally, mayMiss: boolean,
  ): Promise<void> {
    for (const [path, wanted] of files) {
      const answer = await user.get(path).catch(() => undefined);
      if (answer === undefined || answer.status >= 500 || (mayMiss && answer.status >= 400)) {
        tally.errors += 1;
        continue;
      }
      if (answer.status !== 200) {
        assert.fail(`${what}: ${path} answers ${answer.status}: ${answer.text}`);
      }
      assert.equal(fingerprint(answer.body), wanted, `${what}: ${path} has wrong bytes`);
      tally.right += 1;
    }
  }

  function flip(path: string): string {
    const handle = openSync(path, 'r+');
    try {
      const offset = random.between(0, fstatSync(handle).size - 1);
      const byte = Buffer.alloc(1);
      readSync(handle, byte, 0, 1, offset);
      byte[0] = (byte[0] ?? 0) ^ (1 << random.between(0, 7));
      writeSync(handle, byte, 0, 1, offset);
      return `bit flipped at ${offset} of ${path.split('/data/')[1]}`;
    } finally {
      closeSync(handle);
    }
  }

  function cut(path: string): string {
    const sizeBytes = random.between(0, statSync(path).size - 1);
    truncateSync(path, sizeBytes);
    return `${path.split('/data/')[1]} cut to ${sizeBytes}`;
  }

  /** Turns one bit of a file's stored content over, wherever it lies. */
  function flipInside(root: string, content: Buffer): void {
    const at = content.length >> 1;
    const sample = content.subarray(at, at + 64);
    for (const path of filesOf(root, inVolumes)) {
      const offset = readFileSync(path).indexOf(sample);
      if (offset < 0) continue;
      const handle = openSync(path, 'r+');
      writeSync(handle, Buffer.of((sample[0] ?? 0) ^ 1), 0, 1, offset);
      closeSync(handle);
      return;
    }
    assert.fail('the content is in no volume');
  }

  for (const state of ['stopped', 'running'] as const) {
    it(`inside a file of a ${state} server spoils that file alone, and is noticed`, async () => {
      const root = join(scratchFolder('aimed'), 'data');
      cpSync(golden, root, { recursive: true });
      const server = await servers.start({ data: root });
      const user = server.client(...CREDENTIALS);
      if (state === 'stopped') await server.stop();
      for (const n of AIMED) flipInside(root, contentOf(n));
      if (state === 'stopped') await server.startAgain();
      for (const [path, wanted] of files) {
        const answer = await user.get(path).catch(() => undefined);
        if (AIMED.some((n) => path === `file ${n}`)) {
          // Content that was kept in memory may still be given out; spoilt content never.
          const isRight = answer?.status === 200 && fingerprint(answer.body) === wanted;
          const isRefused = answer === undefined || answer.status >= 500;
          assert.ok(isRefused || (isRight && state === 'running'), `${path}: ${answer?.status}`);
        } else {
          assert.equal(answer?.status, 200, `${path} was not touched`);
          assert.equal(fingerprint(answer?.body ?? Buffer.of()), wanted);
        }
      }
      await server.kill();
    });
  }

  it('in a volume is answered with the right bytes or an error', async (test) => {
    const tally = { refused: 0, right: 0, errors: 0 };
    for (let n = 0; n < FLIPS; n += 1) await tryOut(inVolumes, flip, tally, false);
    for (let n = 0; n < CUTS; n += 1) await tryOut(inVolumes, cut, tally, false);
    test.diagnostic(`seed ${settings.crashSeed}: ${JSON.stringify(tally)}`);
    assert.ok(tally.right > 0, 'nothing could be read at all');
    assert.ok(tally.errors + tally.refused > 0, 'no damage was ever noticed');
  });

  it('in the database is answered with the right bytes or an error', async (test) => {
    const tally = { refused: 0, right: 0, errors: 0 };
    for (let n = 0; n < FLIPS; n += 1) await tryOut(inMetadata, flip, tally, true);
    for (let n = 0; n < CUTS; n += 1) await tryOut(inMetadata, cut, tally, true);
    test.diagnostic(`seed ${settings.crashSeed}: ${JSON.stringify(tally)}`);
    assert.ok(tally.errors + tally.refused > 0, 'no damage was ever noticed');
  });
});
