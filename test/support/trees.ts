/** Trees of files on this machine: made for a test, and compared byte for byte. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createCipheriv, createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { Tree } from './dav-client.ts';
import { fingerprint } from './dav-client.ts';

/** What sync clients keep beside the user's files, and conflict copies, which stay local. */
const NOT_COMPARED = /^\.(_?sync_|owncloudsync|csync|nextcloudsync)|\(conflicted copy |_conflict-/;

/** Every file and folder below a folder, by path, each file by size and hash. */
export function readTree(root: string, below = '', found: Tree = new Map()): Tree {
  for (const entry of readdirSync(join(root, below), { withFileTypes: true })) {
    if (NOT_COMPARED.test(entry.name)) continue;
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) {
      found.set(path, 'folder');
      readTree(root, path, found);
    } else {
      found.set(path, fingerprint(readFileSync(join(root, path))));
    }
  }
  return found;
}

/** Fails with the paths that differ. */
export function assertSameTree(actual: Tree, wanted: Tree, what: string): void {
  const differences: string[] = [];
  for (const path of new Set([...wanted.keys(), ...actual.keys()])) {
    const [is, should] = [actual.get(path) ?? 'nothing', wanted.get(path) ?? 'nothing'];
    if (is !== should) differences.push(`${path}: ${is} instead of ${should}`);
  }
  const shown = differences.slice(0, 20).join('\n');
  assert.equal(differences.length, 0, `${what}: ${differences.length} differences\n${shown}`);
}

/** Writes a file, making the folders above. */
export function write(root: string, path: string, bytes: Uint8Array | string): void {
  const target = join(root, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, bytes);
}

/** Bytes that do not compress and are the same for the same seed. */
export function seededBytes(sizeBytes: number, seed: string): Buffer {
  const key = createHash('sha256').update(seed).digest();
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  return cipher.update(Buffer.alloc(sizeBytes));
}

/** Hash of every file below a folder with its path and kind: equal only when nothing changed. */
export function hashFolder(root: string): string {
  const hash = createHash('sha256');
  const walk = (below: string): void => {
    const entries = readdirSync(join(root, below), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(below, entry.name);
      hash.update(`${entry.isDirectory() ? 'd' : 'f'} ${path}\n`);
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile()) hash.update(readFileSync(join(root, path)));
    }
  };
  walk('');
  return hash.digest('hex');
}
