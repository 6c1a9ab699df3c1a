/**
 * A data directory that is damaged, newer, foreign or incomplete is refused with a reason, and not
 * one byte of it is changed: whoever repairs it must find it as it was.
 */
import { before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import {
  cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync,
  truncateSync, writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { run } from '../support/command.ts';
import type { Outcome } from '../support/command.ts';
import { scratchFolder } from '../support/scratch.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';
import { hashFolder, seededBytes } from '../support/trees.ts';

interface Spoiling {
  readonly name: string;
  readonly spoil: (root: string) => void;
  readonly reason: RegExp;
}

function volumeOf(root: string): string {
  const volumes = join(root, 'volumes');
  const names = readdirSync(volumes, { recursive: true, encoding: 'utf8' });
  const files = names.map((name) => join(volumes, name)).filter((path) => statSync(path).isFile());
  const largest = files.sort((a, b) => statSync(b).size - statSync(a).size)[0];
  if (largest === undefined) throw new Error('There is no volume.');
  return largest;
}

function flipBit(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset] = (bytes[offset] ?? 0) ^ 0x10;
  writeFileSync(path, bytes);
}

function setWord(path: string, offset: number, value: number): void {
  const bytes = readFileSync(path);
  bytes.writeUInt32BE(value, offset);
  writeFileSync(path, bytes);
}

const DATABASES = ['metadata.db', 'identity.db'] as const;
/** Where SQLite keeps them. */
const USER_VERSION = 60;
const APPLICATION_ID = 68;

const LOST = /missing|incomplete/i;

const SPOILINGS: readonly Spoiling[] = [
  ...DATABASES.flatMap((name): Spoiling[] => [
    { name: `${name} is missing`, spoil: (root) => rmSync(join(root, name)), reason: LOST },
    {
      name: `${name} is empty`, spoil: (root) => truncateSync(join(root, name), 0),
      reason: /cut off|empty|damaged/i,
    },
    {
      name: `${name} is cut in half`,
      spoil: (root) => truncateSync(join(root, name), statSync(join(root, name)).size >> 1),
      reason: /cut off|damaged|malformed/i,
    },
    {
      name: `${name} has a flipped bit in its header`,
      spoil: (root) => flipBit(join(root, name), 3), reason: /not|damaged/i,
    },
    {
      name: `${name} belongs to another program`,
      spoil: (root) => setWord(join(root, name), APPLICATION_ID, 0x12345678),
      reason: /another|not one of|not ours/i,
    },
    {
      name: `${name} was written by a newer version`,
      spoil: (root) => setWord(join(root, name), USER_VERSION, 999), reason: /version|newer/i,
    },
  ]),
  {
    name: 'holdfast.json is empty', spoil: (root) => truncateSync(join(root, 'holdfast.json'), 0),
    reason: /damaged/i,
  },
  {
    name: 'holdfast.json is missing', spoil: (root) => rmSync(join(root, 'holdfast.json')),
    reason: /not empty|no Holdfast data/i,
  },
  {
    name: 'holdfast.json is of a newer format',
    spoil(root) {
      const path = join(root, 'holdfast.json');
      const marker = JSON.parse(readFileSync(path, 'utf8')) as object;
      writeFileSync(path, JSON.stringify({ ...marker, format: 99 }));
    },
    reason: /newer/i,
  },
  {
    name: 'the volumes are missing',
    spoil: (root) => rmSync(join(root, 'volumes'), { recursive: true }), reason: LOST,
  },
  {
    name: 'both databases are missing while volumes are there',
    spoil(root) {
      for (const name of DATABASES) rmSync(join(root, name));
    },
    reason: LOST,
  },
];

/** A missing or damaged volume is a loss of some files, not of all: starting may be right then. */
const VOLUME_SPOILINGS: readonly Omit<Spoiling, 'reason'>[] = [
  { name: 'a volume is missing', spoil: (root) => rmSync(volumeOf(root)) },
  { name: 'a volume is empty', spoil: (root) => truncateSync(volumeOf(root), 0) },
  {
    name: 'a volume is cut in half',
    spoil: (root) => truncateSync(volumeOf(root), statSync(volumeOf(root)).size >> 1),
  },
  { name: 'a volume has a flipped bit in front', spoil: (root) => flipBit(volumeOf(root), 10) },
  { name: 'a volume is of another version', spoil: (root) => flipBit(volumeOf(root), 8) },
];

describe('a data directory', { timeout: 600_000 }, () => {
  const servers = serverForTests();
  const golden = scratchFolder('golden');
  const small = 'a small file';
  const large = seededBytes(3_000_000, 'large');
  const wanted = [['small.txt', Buffer.from(small)], ['large.bin', large]] as const;

  before(async () => {
    const server = await servers.start();
    const user = await server.addUser();
    await user.put('small.txt', small);
    await user.put('large.bin', large);
    await server.stop();
    cpSync(server.data, golden, { recursive: true });
  });

  function spoilt(spoil: (root: string) => void): string {
    const root = join(scratchFolder('spoilt'), 'data');
    cpSync(golden, root, { recursive: true });
    spoil(root);
    return root;
  }

  async function serveOnce(root: string): Promise<Outcome> {
    const args = ['serve', '--data', root, '--listen', '127.0.0.1:0'];
    return run(PROGRAM, args, { timeoutMs: 60_000 });
  }

  for (const { name, spoil, reason } of SPOILINGS) {
    it(`is refused with a reason and left untouched when ${name}`, async () => {
      const root = spoilt(spoil);
      const hash = hashFolder(root);
      const { code, stderr, stdout } = await serveOnce(root);
      assert.ok(code !== undefined && code > 0, `it ended with ${code}`);
      assert.match(stderr + stdout, reason);
      assert.doesNotMatch(stderr, /\n\s+at .*\.ts:\d+/, 'a person gets a sentence, not a stack');
      assert.equal(hashFolder(root), hash, 'the directory has changed');
    });
  }

  for (const { name, spoil } of VOLUME_SPOILINGS) {
    it(`never gives wrong bytes, and does not repair by forgetting, when ${name}`, async () => {
      const root = spoilt(spoil);
      const volume = existsSync(join(root, 'volumes')) ? hashFolder(join(root, 'volumes')) : '';
      let server;
      try {
        server = await servers.start({ data: root });
      } catch (error) {
        assert.match(String(error), /volume|damaged|missing|incomplete/i);
        assert.equal(hashFolder(join(root, 'volumes')), volume, 'the volumes have changed');
        return;
      }
      const user = server.client('ada', 'correct-horse-battery');
      for (const [path, bytes] of wanted) {
        const { status, body } = await user.get(path).catch(() => ({ status: 500, body: bytes }));
        assert.ok(status === 200 || status >= 500, `${path} answers ${status}`);
        if (status === 200) assert.ok(body.equals(bytes), `${path} has wrong bytes`);
      }
      const names = (await user.list()).map(({ path }) => path);
      assert.deepEqual(names.sort(), ['large.bin', 'small.txt'], 'damage is no reason to forget');
      await server.stop();
    });
  }

  it('is not made where other files lie', async () => {
    const root = scratchFolder('foreign');
    mkdirSync(join(root, 'photos'));
    writeFileSync(join(root, 'photos', 'cat.jpg'), 'a cat');
    const hash = hashFolder(root);
    const { code, stderr, stdout } = await serveOnce(root);
    assert.ok(code !== 0);
    assert.match(stderr + stdout, /not empty/i);
    assert.equal(hashFolder(root), hash);
  });

  it('starts again when what was missing is put back', async () => {
    const root = spoilt((path) => renameSync(join(path, 'metadata.db'), join(path, '..', 'away')));
    assert.notEqual((await serveOnce(root)).code, 0);
    renameSync(join(root, '..', 'away'), join(root, 'metadata.db'));
    const server = await servers.start({ data: root });
    const user = server.client('ada', 'correct-horse-battery');
    assert.equal((await user.get('small.txt')).text, small);
  });
});
