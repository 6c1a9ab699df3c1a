/** Tools for planting faults: they change files of a canary as damage or bugs would. */
import { createHash } from 'node:crypto';
import { copyFile, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { ManualClock } from '../../../platform/index.ts';
import { Block } from '../../../storage/index.ts';
import { LISTED_BYTES, RECORD_HEADER_BYTES, TAIL_BYTES } from '../volume/volume-format.ts';
import type { VerifiedDisk } from '../volume/volume-folder.ts';
import type { CanaryBackends, EditedNode, MetadataEdits } from './canary-backends.ts';
import { canaryBytes, canaryManifest, pathsIn } from './canary.ts';
import type { Canary, CanaryFile } from './canary.ts';
import { recordOf } from './canary-map.ts';
import type { MappedVolume } from './canary-map.ts';

export type DiskName = 'disk-a' | 'disk-b';

export class Planting {
  readonly canary: Canary;
  readonly backends: CanaryBackends;
  readonly clock: ManualClock;
  /** The live volumes, ascending: the first and second are sealed, the last is being written. */
  readonly volumes: readonly MappedVolume[];
  readonly holds = new Set<string>();
  wrapDisk = (disk: VerifiedDisk): VerifiedDisk => disk;

  constructor(parts: {
    canary: Canary; backends: CanaryBackends; clock: ManualClock;
    volumes: readonly MappedVolume[];
  }) {
    this.canary = parts.canary;
    this.backends = parts.backends;
    this.clock = parts.clock;
    this.volumes = parts.volumes;
  }

  get sealed(): MappedVolume {
    return orFail(this.volumes[0]);
  }

  get growing(): MappedVolume {
    return orFail(this.volumes.at(-1));
  }

  file(name: string): CanaryFile {
    return orFail(this.canary.files.find((file) => file.name === name));
  }

  /** Where the block of a file lies. */
  place(name: string): ReturnType<typeof recordOf> {
    return recordOf(this.volumes, this.file(name).blocks[0]);
  }

  pathOf(disk: DiskName, name: string): string {
    return join(this.canary.directory, disk, name);
  }

  /** Reads a file whole, lets `act` change the bytes in place, and writes it back. */
  async edit(
    disk: DiskName, name: string, act: (bytes: Buffer) => void,
  ): Promise<void> {
    const path = this.pathOf(disk, name);
    const bytes = await readFile(path);
    act(bytes);
    await writeFile(path, bytes);
  }

  /** Turns one bit over. */
  async flip(disk: DiskName, volume: { name: string }, at: number): Promise<void> {
    await this.edit(disk, volume.name, (bytes) => {
      bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    });
  }

  async cut(disk: DiskName, volume: MappedVolume, sizeBytes: number): Promise<void> {
    await truncate(this.pathOf(disk, volume.name), sizeBytes);
  }

  async remove(disk: DiskName, volume: MappedVolume): Promise<void> {
    await rm(this.pathOf(disk, volume.name));
  }

  async rename(disk: DiskName, volume: { name: string }, to: string): Promise<void> {
    await rename(this.pathOf(disk, volume.name), this.pathOf(disk, to));
  }

  async copy(from: string, to: string): Promise<void> {
    await copyFile(from, to);
  }

  async editLedger(act: (lines: string[]) => string[]): Promise<void> {
    const { ledger } = pathsIn(this.canary.directory);
    const lines = (await readFile(ledger, 'utf8')).trimEnd().split('\n');
    await writeFile(ledger, act(lines).map((line) => `${line}\n`).join(''));
  }

  async setManifest(
    file: CanaryFile, blocks: readonly { id: string; sizeBytes: number }[],
  ): Promise<void> {
    await this.setManifestBytes(file, canaryManifest(blocks));
  }

  async setManifestBytes(file: EditedNode, manifest: Uint8Array): Promise<void> {
    await this.editMetadata().setManifest(file, manifest);
  }

  editMetadata(): MetadataEdits {
    return this.backends.metadata.edit(pathsIn(this.canary.directory).metadata);
  }

  /** The path of a volume that another store has written. */
  async makeForeignVolume(): Promise<string> {
    const folder = join(this.canary.directory, 'reading', 'foreign');
    const options = { volumeBytesMax: 1024 * 1024, witness: [] };
    const blocks = await this.backends.openBlocks(folder, options);
    try {
      await blocks.put(Block.of([canaryBytes('foreign', 1_000)]));
    } finally {
      await blocks.close();
    }
    return join(folder, 'v00000001.1.hv');
  }
}

export function orFail<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the canary is not as it should be');
  return value;
}

/** Puts the checksum of a record header right after a change. */
export function healHeader(bytes: Buffer, at: number): void {
  bytes.writeUInt32LE(crc32(bytes.subarray(at, at + 60)), at + 60);
}

/** Makes a commit fit its changed batch: only for the last one, since later ones go on from it. */
export function healLastCommit(bytes: Buffer, volume: MappedVolume): void {
  const batch = orFail(volume.batches.at(-1));
  let headersCrc = 0;
  for (const { position } of batch.records) {
    headersCrc = crc32(bytes.subarray(position, position + RECORD_HEADER_BYTES), headersCrc);
  }
  const at = batch.commitAt;
  bytes.writeUInt32LE(headersCrc, at + 28);
  // The sum of what the headers say, in two halves: 0 says nothing.
  bytes.writeUInt16LE(0, at + 5);
  bytes.writeUInt16LE(0, at + 38);
  createHash('sha256').update(volume.head.seed)
    .update(bytes.subarray(at, at + 48)).update(bytes.subarray(at + 56, at + 60))
    .digest().copy(bytes, at + 48, 0, 8);
  healHeader(bytes, at);
}

/** Makes a footer believe in its changed body. */
export function healFooter(bytes: Buffer, volume: MappedVolume): void {
  const tail = orFail(volume.tail);
  const bodyCrc = crc32(bytes.subarray(tail.bodyAt, tail.bodyAt + tail.bodyBytes));
  bytes.writeUInt32LE(bodyCrc, tail.dataEnd + 48);
  healHeader(bytes, tail.dataEnd);
  const tailAt = bytes.length - TAIL_BYTES;
  bytes.writeUInt32LE(bodyCrc, tailAt + 48);
  bytes.writeUInt32LE(crc32(bytes.subarray(tailAt, tailAt + 4092)), tailAt + 4092);
}

/** Puts the checksum of a superblock right after a change. */
export function healSuperblock(bytes: Buffer): void {
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 4092)), 4092);
}

export function entryAt(volume: MappedVolume, index: number): number {
  return orFail(volume.tail).bodyAt + index * LISTED_BYTES;
}
