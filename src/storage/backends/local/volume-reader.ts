import type { BlockId } from '../../../base/ids.ts';
import { BlockSealer } from '../../sealing/block-sealer.ts';
import { UnpackedBlocks } from '../../sealing/unpacked-blocks.ts';
import { trashName, volumeName } from './volume.ts';
import { errorCode, type VolumeFile, type VolumeFiles } from './volume-files.ts';

interface OpenFile {
  file: Promise<VolumeFile>;
  users: number;
}

/** Tables of checksums that are remembered: who streams a block asks for it four times. */
const TABLES_MAX = 64;

/** Reads from volumes, keeping the most recently read ones open. */
export class VolumeReader {
  /** Checked tables of segments. */
  readonly tables: RecentTables = new RecentTables();
  readonly unpacked: UnpackedBlocks = new UnpackedBlocks();
  /** Unpacks what is compressed or encrypted. */
  readonly sealing: BlockSealer;
  readonly #files: VolumeFiles;
  readonly #openMax: number;
  /** Least recently used first. */
  readonly #open = new Map<number, OpenFile>();
  #closed = false;

  constructor(files: VolumeFiles, openMax: number, sealing?: BlockSealer) {
    this.#files = files;
    this.#openMax = openMax;
    this.sealing = sealing ?? new BlockSealer({ compression: 'off' });
  }

  /** Fills `into`; fewer bytes only at the end of the volume. */
  read(volumeId: number, into: Uint8Array, position: number): Promise<number> {
    return this.with(volumeId, (file) => file.read(into, position));
  }

  /** The file stays open while `use` works with it. */
  async with<T>(volumeId: number, use: (file: VolumeFile) => Promise<T>): Promise<T> {
    let entry = this.#open.get(volumeId);
    if (entry === undefined) {
      entry = { file: this.#openFile(volumeId), users: 0 };
    } else {
      this.#open.delete(volumeId);
    }
    this.#open.set(volumeId, entry);
    entry.users++;
    try {
      return await use(await entry.file);
    } catch (error) {
      // The next reader opens it anew: the disk may have come back under another handle.
      if (this.#open.get(volumeId) === entry) this.#open.delete(volumeId);
      throw error;
    } finally {
      entry.users--;
      const dropped = this.#open.get(volumeId) !== entry;
      if (entry.users === 0 && (dropped || this.#closed)) await release(entry);
      if (this.#open.size > this.#openMax) await this.#evict();
    }
  }

  /** A volume may be emptied and go to the trash between somebody's look into the index and now:
   *  its records are still there. */
  async #openFile(volumeId: number): Promise<VolumeFile> {
    try {
      return await this.#files.open(volumeName(volumeId), 'read');
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      return await openTrashed(this.#files, volumeId, error);
    }
  }

  /** The next reader of each volume opens it anew. */
  async reopen(): Promise<void> {
    const idle = [...this.#open.values()].filter(({ users }) => users === 0);
    this.#open.clear();
    for (const entry of idle) await release(entry);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.reopen();
  }

  async #evict(): Promise<void> {
    for (const [volumeId, entry] of this.#open) {
      if (this.#open.size <= this.#openMax) return;
      if (entry.users > 0) continue;
      this.#open.delete(volumeId);
      await release(entry);
    }
  }
}

/** The first reason counts when it is not in the trash either. */
async function openTrashed(
  files: VolumeFiles, volumeId: number, reason: unknown,
): Promise<VolumeFile> {
  try {
    return await files.open(trashName(volumeId), 'read');
  } catch (error) {
    throw errorCode(error) === 'ENOENT' ? reason : error;
  }
}

/** A block's id says what its bytes are, and they say what its table is: it cannot go stale. */
class RecentTables {
  readonly #tables = new Map<BlockId, Buffer>();

  find(id: BlockId): Buffer | undefined {
    return this.#tables.get(id);
  }

  add(id: BlockId, table: Buffer): void {
    if (this.#tables.size >= TABLES_MAX) this.#tables.clear(); // Cheaper than one by one.
    this.#tables.set(id, table);
  }
}

async function release({ file }: OpenFile): Promise<void> {
  try {
    await (await file).close();
  } catch {
    // It was never opened, or only read from: nothing is lost with it.
  }
}
