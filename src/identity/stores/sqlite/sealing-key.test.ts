import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { SecretSeal } from '../../secret-seal.ts';
import { openSealingKey } from './sealing-key.ts';

const root = mkdtempSync(join(tmpdir(), 'holdfast-sealing-key-'));
after(() => rmSync(root, { recursive: true, force: true }));

it('a key is made once, for the own account only, and read again', () => {
  const file = join(root, 'identity.key');
  const key = openSealingKey(file);
  assert.equal(key.length, 32);
  assert.deepEqual(openSealingKey(file), key);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(root), ['identity.key']);
});

it('what was sealed is opened by the same key, for the same owner, and unchanged', () => {
  const [seal, other] = [1, 2].map((byte) => new SecretSeal(new Uint8Array(32).fill(byte)));
  assert.ok(seal !== undefined && other !== undefined);
  const sealed = seal.seal(Buffer.from('secret'), 'alice');
  assert.equal(seal.open(sealed, 'alice')?.toString(), 'secret');
  assert.notEqual(seal.seal(Buffer.from('secret'), 'alice'), sealed);
  assert.equal(seal.open(sealed, 'bob'), undefined);
  assert.equal(other.open(sealed, 'alice'), undefined);
  const changed = sealed.startsWith('A') ? `B${sealed.slice(1)}` : `A${sealed.slice(1)}`;
  assert.equal(seal.open(changed, 'alice'), undefined);
  assert.equal(seal.open('', 'alice'), undefined);
  assert.throws(() => new SecretSeal(new Uint8Array(31)));
});
