import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import { HoldfastError } from '../../base/errors.ts';
import { Block, BLOCK_BYTES_MAX } from '../block.ts';
import { BlockSealer, isKeyFault } from './block-sealer.ts';
import { CIPHER_BYTES } from './block-cipher.ts';
import { KeyRing } from './key-ring.ts';
import { isPacked, type PackedBlock, type PackedRecord } from './packed-block.ts';
import { prose } from './testing/prose.ts';

const MASTER = randomBytes(32);
const RING = KeyRing.create(MASTER, 'default', 1000);

function recordOf(block: Block, packed: PackedBlock): PackedRecord {
  const { codec, encryption, keyId, pieces } = packed;
  const { id, sizeBytes } = block;
  return { id, sizeBytes, codec, encryption, keyId, payload: Buffer.concat(pieces) };
}

async function packed(sealer: BlockSealer, block: Block): Promise<PackedBlock> {
  const result = await sealer.pack(block);
  assert.ok(result !== undefined);
  return result;
}

const SEALERS = [
  { name: 'zstd', sealer: new BlockSealer({ compression: 'auto' }) },
  { name: 'AES', sealer: new BlockSealer({ compression: 'off', keys: RING }) },
  { name: 'zstd and AES', sealer: new BlockSealer({ compression: 'auto', keys: RING }) },
];

describe('BlockSealer', () => {
  for (const { name, sealer } of SEALERS) {
    it(`packs and unpacks blocks of all sizes, whole and in pieces, with ${name}`, async () => {
      let count = 0;
      for (const sizeBytes of [1, 100, 4095, 4096, 65_536, 65_537, 1 << 20, BLOCK_BYTES_MAX]) {
        const bytes = prose(sizeBytes);
        const third = Math.floor(sizeBytes / 3);
        for (const pieces of [[bytes], [bytes.subarray(0, third), bytes.subarray(third)]]) {
          const block = Block.of(pieces);
          const result = await sealer.pack(block);
          if (result === undefined) continue;
          count++;
          assert.ok(isPacked(result));
          const payload = Buffer.concat(result.pieces);
          assert.equal(payload.length, result.payloadBytes);
          assert.equal(crc32(payload), result.payloadCrc);
          assert.ok(result.payloadBytes <= sizeBytes + CIPHER_BYTES);
          const back = await sealer.unpack(recordOf(block, result));
          assert.ok(back?.equals(bytes), `${sizeBytes} bytes`);
        }
      }
      assert.ok(count >= 10);
    });

    it(`notices every flipped bit of a payload packed with ${name}`, async () => {
      const block = Block.of([prose(4200)]);
      const record = recordOf(block, await packed(sealer, block));
      let refused = 0;
      for (let at = 0; at < record.payload.length; at++) {
        const payload = Buffer.from(record.payload);
        payload[at] = (payload[at] as number) ^ (1 << (at % 8));
        const bytes = await sealer.unpack({ ...record, payload });
        // A bit that means nothing to zstd may be flipped: then the bytes must be right.
        if (bytes === undefined) refused++;
        else assert.ok(bytes.equals(block.pieces[0] as Buffer), `byte ${at}`);
      }
      assert.ok(refused > record.payload.length * 0.99);
      for (let end = 0; end < record.payload.length; end += 3) {
        const cut = { ...record, payload: record.payload.subarray(0, end) };
        assert.equal(await sealer.unpack(cut), undefined, `cut at ${end}`);
      }
    });
  }

  it('leaves small blocks and what is compressed already as they are', async () => {
    const sealer = new BlockSealer({ compression: 'auto' });
    assert.equal(sealer.pack(Block.of([prose(4095)])), undefined);
    assert.equal(await sealer.pack(Block.of([randomBytes(4096)])), undefined);
    // Only the first part is tried: a film with a long text behind it stays a film.
    const mixed = Buffer.concat([randomBytes(65_536), prose(200_000)]);
    assert.ok((await sealer.pack(Block.of([mixed]))) === undefined);
    // And a text before a film does not make the film smaller.
    const other = Buffer.concat([prose(65_536), randomBytes(1_000_000)]);
    assert.ok((await sealer.pack(Block.of([other]))) === undefined);
    assert.deepEqual(sealer.counts, { compressed: 0, incompressible: 3, mismatched: 0 });
    assert.ok((await packed(sealer, Block.of([prose(4096)]))).payloadBytes < 3687);
  });

  it('encrypts the same block differently each time, and its id does not tell', async () => {
    const sealer = new BlockSealer({ compression: 'off', keys: RING });
    const block = Block.of([prose(5000)]);
    const [one, two] = [await packed(sealer, block), await packed(sealer, block)];
    assert.notDeepEqual(Buffer.concat(one.pieces), Buffer.concat(two.pieces));
    assert.equal(Buffer.concat(one.pieces).includes('word of line'), false);
  });

  it('refuses a payload in a record that says something else of it', async () => {
    const sealer = new BlockSealer({ compression: 'auto', keys: RING });
    const block = Block.of([prose(5000)]);
    const record = recordOf(block, await packed(sealer, block));
    const { id } = Block.of([prose(5001)]);
    for (const wrong of [{ id }, { sizeBytes: 4999 }, { codec: 0 }, { codec: 2 }, { encryption: 2 },
      { encryption: 0 }]) {
      assert.equal(await sealer.unpack({ ...record, ...wrong }), undefined, JSON.stringify(wrong));
    }
  });

  it('does not unpack more than the record promises', async () => {
    const sealer = new BlockSealer({ compression: 'auto' });
    const bomb = Block.of([Buffer.alloc(BLOCK_BYTES_MAX)]);
    const record = recordOf(bomb, await packed(sealer, bomb));
    assert.ok(record.payload.length < 1000);
    assert.equal(await sealer.unpack({ ...record, sizeBytes: 1000 }), undefined);
  });

  it('calls a key missing or destroyed, and not the block damaged', async () => {
    const sealer = new BlockSealer({ compression: 'off', keys: RING });
    const block = Block.of([prose(5000)]);
    const record = recordOf(block, await packed(sealer, block));
    const stranger = KeyRing.create(MASTER, 'default', 1000);
    const shredded = RING.withoutTenant('default', 2000);
    const cases = [
      { keys: undefined, code: 'key-missing', kind: 'unavailable' },
      { keys: stranger, code: 'key-missing', kind: 'unavailable' },
      { keys: shredded, code: 'shredded', kind: 'not-found' },
    ];
    for (const { keys, code, kind } of cases) {
      const other = new BlockSealer({ compression: 'off', keys });
      await assert.rejects(other.unpack(record), (error) =>
        isKeyFault(error) && error.code === code && error.kind === kind);
    }
    const after = new BlockSealer({ compression: 'off', keys: shredded });
    assert.ok(after.hasShredded && after.isShredded(record.keyId));
    assert.throws(() => after.pack(block), (error) =>
      error instanceof HoldfastError && error.code === 'tenant-shredded');
  });
});
