/**
 * A small store in a folder of its own, with everything that verifiers look at: volumes on two
 * disks, metadata, a volume in the trash, a ledger, samples of writes. Faults are planted in copies
 * of it, so nothing of a user's is ever touched.
 */
import { createHash } from 'node:crypto';
import { copyFile, cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { HoldfastError } from '../../../base/errors.ts';
import { DEFAULT_TENANT, parseBlockId, parseUserId } from '../../../base/ids.ts';
import type { SpaceId } from '../../../base/ids.ts';
import { parseName } from '../../../base/names.ts';
import type { Witness } from '../../../base/witness.ts';
import type { MetadataStore, SpaceRecord } from '../../../metadata/index.ts';
import { ManualClock } from '../../../platform/index.ts';
import { Block } from '../../../storage/index.ts';
import type { BlockStore } from '../../../storage/index.ts';
import { readManifest } from '../manifest-format.ts';
import { parseVolumeFileName } from '../volume/volume-format.ts';
import type { SampleRecord } from '../verify-store.ts';
import type { CanaryBackends, CanaryBlocks } from './canary-backends.ts';
import { appendToLedger } from './canary-ledger.ts';

export const CANARY_EPOCH_MS = Date.UTC(2026, 0, 1);
const VOLUME_BYTES_MAX = 512 * 1024;
const OWNER = parseUserId('canary');

export interface CanaryFile {
  spaceId: number;
  nodeId: number;
  contentRev: number;
  name: string;
  sizeBytes: number;
  sha256: string;
  /** Ids of its blocks. */
  blocks: string[];
  isSampled: boolean;
}

/** What is known of a canary that was made without fault. Plain data. */
export interface Canary {
  directory: string;
  files: CanaryFile[];
  /** Only in the trash, and needed by nothing. */
  deadBlocks: { id: string; sizeBytes: number }[];
  trashName: string;
  volumeNames: string[];
}

const METADATA = 'metadata.db';

export function pathsIn(directory: string) {
  return {
    diskA: join(directory, 'disk-a'),
    diskB: join(directory, 'disk-b'),
    reading: join(directory, 'reading'),
    ledger: join(directory, 'volume-ledger.log'),
    metadata: join(directory, METADATA),
    notes: join(directory, 'verify.db'),
  };
}

/** Content that says what it is, and that differs from all other. */
export function canaryBytes(label: string, sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  for (let at = 0, count = 0; at < sizeBytes; at += 32, count++) {
    createHash('sha256').update(`canary ${label} ${count}`).digest().copy(bytes, at);
  }
  return bytes;
}

/** Makes it in `directory`, which must be absent. The stores are closed when it resolves. */
export async function makeCanary(directory: string, backends: CanaryBackends): Promise<Canary> {
  const paths = pathsIn(directory);
  await mkdir(paths.diskB, { recursive: true, mode: 0o700 });
  await writeFile(paths.ledger, '');
  const metadata = await backends.metadata.open(paths.metadata);
  try {
    const maker = new CanaryMaker({ directory, backends, metadata });
    return await maker.make();
  } finally {
    await backends.metadata.close(paths.metadata);
  }
}

class CanaryMaker {
  readonly #directory: string;
  readonly #backends: CanaryBackends;
  readonly #metadata: MetadataStore;
  readonly #clock = new ManualClock(CANARY_EPOCH_MS);
  readonly #files: CanaryFile[] = [];

  constructor(parts: { directory: string; backends: CanaryBackends; metadata: MetadataStore }) {
    this.#directory = parts.directory;
    this.#backends = parts.backends;
    this.#metadata = parts.metadata;
  }

  async make(): Promise<Canary> {
    const paths = pathsIn(this.#directory);
    const space = await this.#metadata.ensureSpace({
      tenant: DEFAULT_TENANT, owner: OWNER, casePolicy: 'sensitive', quotaBytes: undefined,
      at: this.#clock.now(),
    });
    const dead = Block.of([canaryBytes('dead', 4_000)]);
    const filler = Block.of([canaryBytes('filler', 400_000)]);
    const moved = Block.of([canaryBytes('moved', 5_000)]);
    await this.#withBlocks([], async (blocks) => {
      const add = this.#adder(space, blocks);
      // The first volume: single batches, and one batch of several records.
      await add('one-byte', 1);
      await add('small', 1_000);
      await Promise.all([3, 4, 5, 6].map((n) => add(`alike-${n}`, 3_000)));
      await add('long', 300_000);
      await add('middle', 150_000);
      // The second: only blocks without a file, for the trash.
      await blocks.put(filler);
      await blocks.put(dead);
      await blocks.put(moved);
      await add('large', 400_000); // Too much for the second: it begins the third.
    });
    const trashName = await this.#trashSecond();
    await this.#withBlocks(this.#seen, async (blocks) => {
      const add = this.#adder(space, blocks);
      await blocks.put(moved);
      await add('moved', 5_000);
      await add('unsampled', 7_000);
      await add('newest-1', 6_000);
      await add('newest-2', 6_000);
      await add('newest-3', 6_000);
    });
    for (const name of await readdir(paths.diskA)) {
      if (name.endsWith('.hint')) continue;
      await copyFile(join(paths.diskA, name), join(paths.diskB, name));
    }
    const volumeNames = (await readdir(paths.diskB)).filter((name) => parseVolumeFileName(name));
    return {
      directory: this.#directory, files: this.#files, trashName, volumeNames,
      deadBlocks: [dead, filler].map(({ id, sizeBytes }) => ({ id, sizeBytes })),
    };
  }

  #seen: Witness = [];

  async #withBlocks(
    witness: Witness, act: (blocks: CanaryBlocks) => Promise<void>,
  ): Promise<void> {
    const { diskA } = pathsIn(this.#directory);
    const options = { volumeBytesMax: VOLUME_BYTES_MAX, witness };
    const blocks = await this.#backends.openBlocks(diskA, options);
    try {
      await act(blocks);
      this.#seen = blocks.witness().filter(([volumeId]) => volumeId !== 2);
    } finally {
      await blocks.close();
    }
  }

  #adder(
    space: SpaceRecord, blocks: CanaryBlocks,
  ): (name: string, sizeBytes: number) => Promise<void> {
    const metadata = this.#metadata;
    const witness = (): Witness => blocks.witness().filter(([volumeId]) => volumeId !== 2);
    return async (name, sizeBytes) => {
      const bytes = canaryBytes(name, sizeBytes);
      const block = Block.of([bytes]);
      await blocks.put(block);
      const manifest = canaryManifest([{ id: block.id, sizeBytes }]);
      await metadata.commit({
        op: 'put-file', spaceId: space.id, parentId: space.rootId, name: parseName(name),
        content: { sizeBytes, manifest, checksums: '' }, modifiedAt: undefined,
        witness: witness(),
        actor: { user: OWNER, device: '', at: this.#clock.now(), lockTokens: [] },
      });
      const [, node] = await metadata.resolve(space.id, [parseName(name)]);
      if (node === undefined) throw new Error('a file of the canary was not kept');
      this.#files.push({
        spaceId: space.id, nodeId: node.id, contentRev: node.contentRev, name, sizeBytes,
        sha256: createHash('sha256').update(bytes).digest('hex'),
        blocks: [block.id],
        isSampled: name !== 'unsampled',
      });
    };
  }

  /** As if the collector had compacted it away. */
  async #trashSecond(): Promise<string> {
    const { diskA, ledger } = pathsIn(this.#directory);
    const name = (await readdir(diskA)).find((each) => parseVolumeFileName(each)?.id === 2);
    if (name === undefined) throw new Error('the canary has no second volume');
    const told = { at: CANARY_EPOCH_MS, volume: 2 };
    // The first was away once: what was excused then is no excuse now.
    await appendToLedger(ledger, { act: 'trash', at: CANARY_EPOCH_MS, volume: 1 });
    await appendToLedger(ledger, { act: 'restore', at: CANARY_EPOCH_MS, volume: 1 });
    await appendToLedger(ledger, { act: 'trash', ...told, sizeBytes: 0, records: 3, dropped: 2 });
    await appendToLedger(ledger, { act: 'inspect', ...told, elsewhere: 1, dead: 2, rescued: 0 });
    await rename(join(diskA, name), join(diskA, `${name}.trash`));
    return `${name}.trash`;
  }
}

/** A copy in which a fault can be planted. */
export async function copyCanary(
  canary: Canary, directory: string, { metadata }: Pick<CanaryBackends, 'metadata'>,
): Promise<Canary> {
  await cp(canary.directory, directory, {
    recursive: true, filter: (path) => !basename(path).startsWith(METADATA),
  });
  await metadata.copy(pathsIn(canary.directory).metadata, pathsIn(directory).metadata);
  return { ...canary, directory };
}

export function samplesOf(canary: Canary): SampleRecord[] {
  return canary.files.filter(({ isSampled }) => isSampled).map((file) => ({
    id: `sample-${file.nodeId}`, address: `${file.spaceId}/${file.nodeId}/${file.contentRev}`,
    sha256: file.sha256, sizeBytes: file.sizeBytes, writtenMs: CANARY_EPOCH_MS, step: 0,
    dueMs: CANARY_EPOCH_MS + 60_000,
  }));
}

/** A direct manifest, as docs/formats/manifest.md has it. */
export function canaryManifest(blocks: readonly { id: string; sizeBytes: number }[]): Buffer {
  const bytes = Buffer.alloc(16 + blocks.length * 36);
  bytes[0] = 1;
  bytes[1] = 1;
  bytes.writeUInt32LE(blocks.length, 4);
  bytes.writeBigUInt64LE(BigInt(blocks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)), 8);
  for (const [index, { id, sizeBytes }] of blocks.entries()) {
    bytes.write(id, 16 + index * 36, 32, 'hex');
    bytes.writeUInt32LE(sizeBytes, 16 + index * 36 + 32);
  }
  return bytes;
}

/** Reads as users do: by name, through the metadata and the block store. */
export async function readAsUser(
  canary: Canary, address: string, stores: { metadata: MetadataStore; blocks: BlockStore },
): Promise<Buffer | 'superseded' | 'missing'> {
  const file = canary.files.find(({ spaceId, nodeId, contentRev }) =>
    `${spaceId}/${nodeId}/${contentRev}` === address);
  if (file === undefined) return 'superseded';
  const spaceId = file.spaceId as SpaceId;
  const [, node] = await stores.metadata.resolve(spaceId, [parseName(file.name)]);
  if (node === undefined) return 'missing';
  if (node.contentRev !== file.contentRev) return 'superseded';
  const version = await stores.metadata.getVersion(spaceId, node.id, node.contentRev);
  const manifest = readManifest(version.manifest);
  if (manifest === undefined) {
    throw new HoldfastError('corrupt', 'durability/readAsUser', 'This content cannot be read.');
  }
  const pieces: Buffer[] = [];
  for (const { id, sizeBytes } of manifest.blocks) {
    pieces.push(await stores.blocks.read(parseBlockId(id), 0, sizeBytes));
  }
  return Buffer.concat(pieces);
}

/** SHA-256 of every file, and of the metadata, to show that nothing was touched. */
export async function fingerprints(
  directory: string, { metadata }: Pick<CanaryBackends, 'metadata'>,
): Promise<Map<string, string>> {
  const prints = new Map<string, string>();
  prints.set('metadata', await metadata.fingerprint(pathsIn(directory).metadata));
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(directory.length + 1);
    if (/^(verify\.db|metadata\.db|reading)/.test(name)) continue; // Notes change.
    prints.set(name, createHash('sha256').update(await readFile(path)).digest('hex'));
  }
  return prints;
}
