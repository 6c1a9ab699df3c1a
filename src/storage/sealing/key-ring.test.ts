import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { HoldfastError } from '../../base/errors.ts';
import { KeyRing } from './key-ring.ts';
import { decodeRing, encodeRing, type KeyEntry, type RingContent } from './ring-format.ts';

const MASTER = randomBytes(32);
const GOLDEN = new URL('../../../test/fixtures/key-ring/keys.json', import.meta.url);
const GOLDEN_MASTER = Buffer.alloc(32, 'golden');

function code(wanted: string): (error: unknown) => boolean {
  return (error) => error instanceof HoldfastError && error.code === wanted;
}

function keyBytes(ring: KeyRing, id: number): string {
  const found = ring.find(id);
  assert.ok(found?.state === 'usable');
  return found.key.export().toString('hex');
}

function reread(content: RingContent): RingContent {
  const again = decodeRing(encodeRing(content));
  assert.ok(typeof again !== 'string');
  return again;
}

describe('KeyRing', () => {
  it('gives out the same keys after it was written and read', () => {
    const ring = KeyRing.create(MASTER, 'default', 5);
    const again = KeyRing.unlock(reread(ring.content), MASTER);
    assert.deepEqual(again.content, ring.content);
    const { id } = ring.current('default');
    assert.equal(again.current('default').id, id);
    assert.equal(keyBytes(again, id), keyBytes(ring, id));
  });

  it('shows no key in what it writes', () => {
    const ring = KeyRing.create(MASTER, 'default', 5);
    const plain = Buffer.from(keyBytes(ring, ring.current('default').id), 'hex');
    const text = encodeRing(ring.content).toString();
    for (const secret of [plain, MASTER]) {
      assert.equal(text.includes(secret.toString('hex')), false);
      assert.equal(text.includes(secret.toString('base64').slice(0, 20)), false);
    }
  });

  it('keeps old keys for reading when a new one takes over', () => {
    const ring = KeyRing.create(MASTER, 'default', 5);
    const first = ring.current('default').id;
    const next = KeyRing.unlock(ring.withNewDataKey('default', 6).content, MASTER);
    assert.notEqual(next.current('default').id, first);
    assert.equal(keyBytes(next, first), keyBytes(ring, first));
    assert.equal(next.content.sequence, 2);
  });

  it('changes its master key and no data key', () => {
    const ring = KeyRing.create(MASTER, 'default', 5).withNewDataKey('default', 6);
    const other = randomBytes(32);
    const moved = ring.withMasterKey(other);
    assert.throws(() => KeyRing.unlock(moved.content, MASTER), code('master-key-wrong'));
    assert.throws(() => KeyRing.unlock(ring.content, other), code('master-key-wrong'));
    const again = KeyRing.unlock(reread(moved.content), other);
    for (const { id } of ring.content.keys) assert.equal(keyBytes(again, id), keyBytes(ring, id));
  });

  it('destroys the keys of one tenant, leaves tombstones, and touches no other tenant', () => {
    const ring = KeyRing.create(MASTER, 'default', 5).withNewDataKey('acme', 6)
      .withNewDataKey('acme', 7);
    const acme = ring.content.keys.filter(({ tenant }) => tenant === 'acme');
    const shredded = KeyRing.unlock(reread(ring.withoutTenant('acme', 8).content), MASTER);
    const text = encodeRing(shredded.content).toString();
    for (const entry of acme) {
      assert.equal(shredded.find(entry.id)?.state, 'shredded');
      assert.ok(entry.state !== 'shredded' && !text.includes(entry.wrapped));
    }
    assert.equal(shredded.current('default').id, ring.current('default').id);
    assert.throws(() => shredded.current('acme'), code('tenant-shredded'));
    assert.throws(() => shredded.current('nobody'), code('tenant-unknown'));
    assert.throws(() => shredded.withoutTenant('acme', 9), (error) =>
      error instanceof HoldfastError && error.kind === 'not-found');
    // A deliberate new beginning.
    const anew = shredded.withNewDataKey('acme', 9);
    assert.equal(anew.current('acme').state, 'usable');
    assert.equal(anew.find(acme[0]?.id ?? 0)?.state, 'shredded');
  });

  it('refuses what somebody without the master key has changed', () => {
    const { content } = KeyRing.create(MASTER, 'default', 5).withNewDataKey('acme', 6);
    const [one, two] = content.keys as readonly [KeyEntry, KeyEntry];
    assert.ok(one.state !== 'shredded' && two.state !== 'shredded');
    const swapped = [{ ...one, wrapped: two.wrapped }, { ...two, wrapped: one.wrapped }];
    const { id, createdMs } = two;
    const buried = { id, tenant: 'acme', state: 'shredded', createdMs, shreddedMs: 1 } as const;
    for (const keys of [swapped, [one], [one, buried], [one, { ...two, tenant: 'evil' }]]) {
      assert.throws(() => KeyRing.unlock({ ...content, keys }, MASTER), code('ring-forged'));
    }
    assert.throws(() => KeyRing.unlock({ ...content, sequence: 9 }, MASTER), code('ring-forged'));
  });

  it('refuses a tenant that is none', () => {
    const ring = KeyRing.create(MASTER, 'default', 5);
    for (const tenantId of ['', 'A', 'a b', '../x', '.x', 'x'.repeat(65)]) {
      assert.throws(() => ring.withNewDataKey(tenantId, 6), (error) =>
        error instanceof HoldfastError && error.kind === 'invalid');
    }
  });
});

describe('The file of a key ring', () => {
  it('of format 1 is read as it was written, and written as it is', async () => {
    const bytes = await readFile(GOLDEN);
    const content = decodeRing(bytes);
    assert.ok(typeof content !== 'string');
    assert.ok(encodeRing(content).equals(bytes));
    const ring = KeyRing.unlock(content, GOLDEN_MASTER);
    assert.deepEqual(content.keys.map(({ id, state, tenant }) => [id, state, tenant]), [
      [3009324547, 'old', 'default'], [21696513, 'current', 'default'],
      [18084211, 'shredded', 'acme'],
    ]);
    const sums = ring.content.keys.filter(({ state }) => state !== 'shredded')
      .map(({ id }) => keyBytes(ring, id).slice(0, 8));
    assert.deepEqual(sums, ['50d56275', 'dd3f66fe']);
  });

  it('is told from a damaged one, whichever bit is flipped', async () => {
    const golden = await readFile(GOLDEN);
    const sound = decodeRing(golden);
    for (let at = 0; at < golden.length * 8; at++) {
      const bytes = Buffer.from(golden);
      bytes[at >> 3] = (bytes[at >> 3] as number) ^ (1 << (at & 7));
      const content = decodeRing(bytes);
      // A space may become a tab and mean the same.
      if (typeof content !== 'string') assert.deepEqual(content, sound, `bit ${at}`);
      else assert.equal(content, 'damaged', `bit ${at}`);
    }
    for (let end = 0; end < golden.length - 1; end++) {
      assert.equal(decodeRing(golden.subarray(0, end)), 'damaged');
    }
  });
});
