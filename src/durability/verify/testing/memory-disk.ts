/** A disk in memory with volumes written from docs/formats/volume.md, for tests of verifiers. */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { RepairFile, RepairFolder } from '../repair-volume.ts';
import type { VerifiedDisk } from '../volume/volume-folder.ts';

export class MemoryDisk implements RepairFolder {
  readonly files = new Map<string, Buffer>();
  /** Names that were opened, in order. */
  readonly opened: string[] = [];
  /** Called before each read; may throw as a disk does, or change what comes next. */
  onRead: (name: string, position: number) => void = () => undefined;

  asDisk(id: string): VerifiedDisk {
    return { id, files: this };
  }

  async list(): Promise<string[]> {
    return [...this.files.keys()];
  }

  async rename(from: string, to: string): Promise<void> {
    this.files.set(to, this.#bytes(from));
    this.files.delete(from);
  }

  async syncFolder(): Promise<void> {}

  async open(name: string, how: 'read' | 'create' = 'read'): Promise<RepairFile> {
    if (how === 'create') this.files.set(name, Buffer.alloc(0));
    if (!this.files.has(name)) throw Object.assign(new Error('none'), { code: 'ENOENT' });
    this.opened.push(name);
    return {
      size: async () => this.#bytes(name).length,
      read: async (into, position) => {
        this.onRead(name, position);
        return this.#bytes(name).copy(into, 0, position, position + into.length);
      },
      write: async (pieces, position) => {
        const kept = this.#bytes(name).subarray(0, position);
        this.files.set(name, Buffer.concat([kept, ...pieces]));
      },
      sync: async () => undefined,
      close: async () => undefined,
    };
  }

  #bytes(name: string): Buffer {
    return this.files.get(name) ?? Buffer.alloc(0);
  }

  flip(name: string, at: number): void {
    const bytes = this.#bytes(name);
    bytes[at] = (bytes[at] ?? 0) ^ 4;
  }
}

export interface VolumePlan {
  id: number;
  previousId?: number;
  previousEnd?: number;
  storeId?: string;
  /** The blocks of each batch. */
  batches: readonly (readonly Buffer[])[];
  isSealed?: boolean;
  /** As it was written before commits had a sum of the headers. */
  isWithoutSums?: boolean;
}

export interface WrittenVolume {
  name: string;
  bytes: Buffer;
  dataEnd: number;
  /** Where each block's record begins, by id. */
  places: Map<string, number>;
  commits: number[];
}

export function idOf(block: Buffer): string {
  return createHash('sha256').update(block).digest('hex');
}

/** Blocks of up to 256 KiB: each is its own payload. */
export function writeVolume(plan: VolumePlan): WrittenVolume {
  const seed = createHash('sha256').update(`seed of ${plan.id}`).digest();
  const pieces = [superblock(plan, seed)];
  const places = new Map<string, number>();
  const sizes = new Map<string, number>();
  const commits: number[] = [];
  let end = 4096;
  let chain: Buffer = createHash('sha256').update(seed).digest().subarray(0, 8);
  for (const [index, blocks] of plan.batches.entries()) {
    const start = end;
    let headersCrc = 0;
    let headersSum = 0;
    for (const block of blocks) {
      const header = blockHeader(block, index + 1);
      headersCrc = crc32(header, headersCrc);
      headersSum = crc32(header.subarray(0, 60), headersSum);
      places.set(idOf(block), end);
      sizes.set(idOf(block), block.length);
      pieces.push(header, block, Buffer.alloc(-block.length & 7));
      end += 64 + ((block.length + 7) & ~7);
    }
    const commit = commitRecord({ seed, batch: index + 1, start, end, headersCrc, chain,
      count: blocks.length, headersSum: plan.isWithoutSums === true ? 0 : headersSum || 1 });
    chain = commit.subarray(48, 56);
    commits.push(end);
    pieces.push(commit);
    end += 64;
  }
  if (plan.isSealed === true) pieces.push(...footer(plan.id, end, { places, sizes, chain }));
  const name = `v${String(plan.id).padStart(8, '0')}.1.hv`;
  return { name, bytes: Buffer.concat(pieces), dataEnd: end, places, commits };
}

function superblock(plan: VolumePlan, seed: Buffer): Buffer {
  const bytes = Buffer.alloc(4096);
  bytes.write('HFVOL01\n', 'latin1');
  bytes.writeUInt16LE(1, 8);
  bytes.writeUInt32LE(4096, 12);
  bytes.write(plan.storeId ?? '5a'.repeat(16), 16, 16, 'hex');
  bytes.writeUInt32LE(plan.id, 32);
  bytes.writeUInt32LE(1, 40);
  seed.copy(bytes, 56);
  bytes.writeUInt32LE(plan.previousId ?? 0, 88);
  bytes.writeUInt32LE(plan.previousEnd ?? 0, 96);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 4092)), 4092);
  return bytes;
}

function blockHeader(block: Buffer, batch: number): Buffer {
  const bytes = header(1);
  bytes.writeUInt32LE(block.length, 8);
  bytes.writeUInt32LE(block.length, 12);
  bytes.write(idOf(block), 16, 32, 'hex');
  bytes.writeUInt32LE(crc32(block), 48);
  bytes.writeUInt32LE(batch, 56);
  return closed(bytes);
}

function commitRecord(commit: {
  seed: Buffer; batch: number; start: number; end: number; headersCrc: number; chain: Buffer;
  count: number; headersSum: number;
}): Buffer {
  const bytes = header(3);
  bytes.writeUInt16LE(commit.headersSum % 2 ** 16, 5);
  bytes.writeUInt16LE(Math.floor(commit.headersSum / 2 ** 16), 38);
  bytes.writeUInt32LE(commit.batch, 8);
  bytes.writeUInt32LE(commit.start, 16);
  bytes.writeUInt32LE(commit.count, 24);
  bytes.writeUInt32LE(commit.headersCrc, 28);
  commit.chain.copy(bytes, 40);
  bytes.writeUInt32LE(commit.end - commit.start, 56);
  createHash('sha256').update(commit.seed).update(bytes.subarray(0, 48))
    .update(bytes.subarray(56, 60)).digest().copy(bytes, 48, 0, 8);
  return closed(bytes);
}

function footer(
  id: number, dataEnd: number,
  all: { places: Map<string, number>; sizes: Map<string, number>; chain: Buffer },
): Buffer[] {
  const entries = [...all.places].sort(([a], [b]) => (a < b ? -1 : 1)).map(([block, at]) => {
    const entry = Buffer.alloc(48);
    const size = all.sizes.get(block) ?? 0;
    entry.write(block, 0, 32, 'hex');
    entry.writeUInt32LE(at, 32);
    entry.writeUInt32LE(size, 40);
    entry.writeUInt32LE(size, 44);
    return entry;
  });
  const fanout = Buffer.alloc(1024);
  for (let first = 0; first < 256; first++) {
    fanout.writeUInt32LE(entries.filter((entry) => (entry[0] ?? 0) <= first).length, first * 4);
  }
  const body = Buffer.concat([...entries, fanout]);
  const seal = header(4);
  seal.writeUInt32LE(body.length, 8);
  seal.writeUInt32LE(body.length, 12);
  seal.writeUInt32LE(crc32(body), 48);
  const tail = Buffer.alloc(4096);
  tail.write('HFSEAL01', 'latin1');
  tail.writeUInt16LE(1, 8);
  tail.writeUInt32LE(entries.length, 12);
  tail.writeUInt32LE(id, 16);
  tail.writeUInt32LE(dataEnd, 24);
  tail.writeUInt32LE(dataEnd + 64, 32);
  tail.writeUInt32LE(body.length, 40);
  tail.writeUInt32LE(crc32(body), 48);
  tail.writeUInt32LE([...all.sizes.values()].reduce((sum, size) => sum + size, 0), 56);
  all.chain.copy(tail, 64);
  tail.writeUInt32LE(crc32(tail.subarray(0, 4092)), 4092);
  return [closed(seal), body, Buffer.alloc(-body.length & 7), tail];
}

function header(type: number): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.write('HFR1', 'latin1');
  bytes[4] = type;
  bytes[7] = 1;
  return bytes;
}

function closed(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
  return bytes;
}
