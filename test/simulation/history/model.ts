/**
 * What must be true, kept by the plainest means: which files are committed and which blocks they
 * consist of. It stands for the database, so a commit survives everything.
 */
import { hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BlockId, NodeId, SpaceId } from '../../../src/base/ids.ts';
import type { Witness } from '../../../src/base/witness.ts';
import { encodeManifest } from '../../../src/files/manifest.ts';
import type { ManifestPlace, ManifestRecord } from '../../../src/metadata/index.ts';
import { Block } from '../../../src/storage/index.ts';

export class Model {
  /** Numbers of the blocks that each file consists of. */
  readonly files = new Map<number, readonly number[]>();
  readonly #blocks: Block[];
  readonly #byId = new Map<BlockId, Buffer>();
  readonly #witness = new Map<number, number>();

  constructor(contents: number) {
    const made = Array.from({ length: contents }, (_, number) => madeContent(number));
    this.#blocks = made.map(({ block }) => block);
    for (const { block, bytes } of made) this.#byId.set(block.id, bytes);
  }

  block(number: number): Block {
    const block = this.#blocks[number];
    if (block === undefined) throw new Error(`there is no block ${number}`);
    return block;
  }

  /** undefined: nobody has such a block. */
  bytesOf(id: BlockId): Buffer | undefined {
    return this.#byId.get(id);
  }

  /** A file is there, durably, and with it what the store says of its volumes. */
  commit(file: number, blocks: readonly number[], witness: Witness): void {
    this.files.set(file, blocks);
    for (const [volumeId, end] of witness) {
      this.#witness.set(volumeId, Math.max(this.#witness.get(volumeId) ?? 0, end));
    }
  }

  get witness(): Witness {
    return [...this.#witness];
  }

  /** Every block that must be readable. */
  needed(): Set<BlockId> {
    const ids = new Set<BlockId>();
    for (const blocks of this.files.values()) {
      for (const number of blocks) ids.add(this.block(number).id);
    }
    return ids;
  }

  /** As the metadata store does it, one at a time, so that much happens between two pages. */
  async listManifests(_limit: number, after?: ManifestPlace): Promise<ManifestRecord[]> {
    await nextTurn();
    const last = after?.kind === 'version' ? Number(after.nodeId) : 0;
    const node = [...this.files.keys()].map((file) => file + 1).sort((a, b) => a - b)
      .find((one) => one > last);
    if (node === undefined) return [];
    const numbers = this.files.get(node - 1) ?? [];
    const blocks = numbers.map((number) => this.block(number));
    const refs = blocks.map(({ id, sizeBytes }) => ({ id, sizeBytes }));
    const sizeBytes = refs.reduce((sum, ref) => sum + ref.sizeBytes, 0);
    const place = {
      kind: 'version' as const, spaceId: 1 as SpaceId, nodeId: node as NodeId, contentRev: 1,
    };
    const content = { chunker: 'fixed-4m' as const, sizeBytes, indirect: false, blocks: refs };
    return [{ place, manifest: encodeManifest(content) }];
  }
}

interface Content {
  readonly block: Block;
  /** A copy of what is in the block: whoever changes that one is found out. */
  readonly bytes: Buffer;
}

const contents: Content[] = [];

/** Made once: all histories have the same. */
function madeContent(number: number): Content {
  const known = contents[number];
  if (known !== undefined) return known;
  const block = contentOf(number);
  const made = { block, bytes: Buffer.concat(block.pieces) };
  contents[number] = made;
  return made;
}

/** The same for the same number in every history. Some look like records of the volume format. */
function contentOf(number: number): Block {
  const sizeBytes = 1 + (number * 7919) % 900 + (number % 10 === 9 ? 6000 : 0);
  const bytes = Buffer.alloc(sizeBytes);
  for (let at = 0, round = 0; at < sizeBytes; round++) {
    at += hash('sha256', `${number} ${round}`, 'buffer').copy(bytes, at);
  }
  if (sizeBytes > 300 && number % 3 === 0) bytes.write('HFR1', 64, 'latin1');
  return Block.of([bytes]);
}
