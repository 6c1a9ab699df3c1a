import { hash } from 'node:crypto';
import { mkdir, readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';
import { lockData, type Clock, type DataLock } from '../../platform/index.ts';
import { NodeVolumeFiles } from '../backends/local/node-volume-files.ts';
import { nextTurn } from '../backends/local/turn.ts';
import { errorCode, type VolumeFile, type VolumeFiles } from '../backends/local/volume-files.ts';
import {
  DIGEST_SPAN_BYTES, DIGEST_SPANS_MAX, type Disk, type SpanDigests, type TrashEntry,
} from './disk.ts';
import { DiskFence } from './disk-fence.ts';
import { DISK_MARKER, identifyDisk, type Adoption } from './disk-identity.ts';
import { syncFolder } from './durable-json.ts';
import { checkTrashable, isServedName } from './file-names.ts';
import { GuardedVolumeFiles } from './guarded-volume-files.ts';
import { isUuid } from './handshake.ts';

const TRASH = 'trash';
/** Parts of the disk that belong to other homes, each named by its home's id. */
const HOMES = 'homes';
const TRASH_NAME = /^(\d{13,16})-(\d{1,9})-(.+)$/;
const RESERVE_BYTES = 64 * 1024 ** 2;

export interface LocalDiskOptions {
  /** A folder that is there; it belongs to this disk alone. */
  root: string;
  clusterId: string;
  clock: Clock;
  /** What to do with a root that has no identity; `never` unless said. */
  adopt?: Adoption;
  /** Room that volumes never get; 64 MiB unless said. */
  reserveBytes?: number;
  /** A volume named as trash (`.hv.trash`) may be erased when it has been that for so long, by the
   *  clock of this machine; never, unless said. A second opinion: whoever erases has proofs. */
  eraseTrashAfterMs?: number;
  /** Instead of the folder at `root`, for tests: what lies beside the volumes stays in `root`. */
  files?: VolumeFiles;
}

/** A Disk of this machine: a folder with disk.json, fence.json, trash/ and the volume files. */
export class LocalDisk implements Disk {
  readonly id: string;
  readonly files: GuardedVolumeFiles;
  readonly fence: DiskFence;
  readonly #root: string;
  readonly #options: LocalDiskOptions;
  readonly #clock: Clock;
  readonly #lock: DataLock;
  readonly #eraseTrashAfterMs: number;
  /** Device and number of the identity file: another disk in its place has others. */
  readonly #place: string;
  #trashed = 0;
  /** Digests are made for one caller after the other: they are never in a hurry. */
  #digesting: Promise<unknown> = Promise.resolve();

  private constructor(options: LocalDiskOptions, parts: LocalDiskParts) {
    this.#root = options.root;
    this.#options = options;
    this.#clock = options.clock;
    this.#lock = parts.lock;
    this.id = parts.diskId;
    this.fence = parts.fence;
    this.#place = parts.place;
    const files = options.files ?? new NodeVolumeFiles(options.root);
    const reserveBytes = options.reserveBytes ?? RESERVE_BYTES;
    this.files = new GuardedVolumeFiles(files, {
      clock: options.clock, reserveBytes, mayErase: (name) => this.#mayErase(name),
      checkThere: () => this.#checkThere(),
    });
    this.#eraseTrashAfterMs = options.eraseTrashAfterMs ?? Number.POSITIVE_INFINITY;
  }

  /**
   * @throws conflict, corrupt: see `identifyDisk`; conflict, code `data-locked`: another process
   * has it; unavailable: it cannot be read. Nothing was changed on a disk that is not ours.
   */
  static async open(options: LocalDiskOptions): Promise<LocalDisk> {
    const { root, clusterId, clock, adopt = 'never' } = options;
    try {
      const { diskId } = await identifyDisk(root, { clusterId, clock, adopt });
      const lock = lockData(root);
      try {
        const fence = await DiskFence.open(root);
        await mkdir(join(root, TRASH), { recursive: true, mode: 0o700 });
        await syncFolder(root);
        return new LocalDisk(options, { diskId, fence, lock, place: await placeOf(root) });
      } catch (error) {
        lock.release();
        throw error;
      }
    } catch (cause) {
      if (cause instanceof HoldfastError) throw cause;
      const message = 'A disk cannot be used. Check that it is mounted and may be written.';
      const facts = { code: errorCode(cause) };
      throw new HoldfastError('unavailable', 'storage/LocalDisk.open', message, {
        code: 'disk-unusable', facts, cause,
      });
    }
  }

  moveToTrash(name: string): Promise<string> {
    return this.files.inTurn(async () => {
      checkTrashable(name);
      await this.#checkThere();
      this.#trashed += 1;
      const trashName = `${String(this.#clock.now()).padStart(13, '0')}-${this.#trashed}-${name}`;
      await refuseTaken(join(this.#root, TRASH, trashName));
      await rename(join(this.#root, name), join(this.#root, TRASH, trashName));
      this.files.forget(name);
      // First where it is now: after a power cut it is better in both places than in none.
      await syncFolder(join(this.#root, TRASH));
      await syncFolder(this.#root);
      return trashName;
    });
  }

  restoreFromTrash(trashName: string): Promise<void> {
    return this.files.inTurn(async () => {
      const { name } = parseTrashName(trashName);
      checkTrashable(name);
      await this.#checkThere();
      await refuseTaken(join(this.#root, name));
      await rename(join(this.#root, TRASH, trashName), join(this.#root, name));
      await syncFolder(this.#root);
      await syncFolder(join(this.#root, TRASH));
    });
  }

  async listTrash(): Promise<TrashEntry[]> {
    await this.#checkThere();
    const entries: TrashEntry[] = [];
    for (const trashName of await readdir(join(this.#root, TRASH))) {
      if (!isTrashName(trashName)) continue;
      try {
        const { size: sizeBytes } = await stat(join(this.#root, TRASH, trashName));
        entries.push({ trashName, ...parseTrashName(trashName), sizeBytes });
      } catch (error) {
        if (errorCode(error) !== 'ENOENT') throw error; // Restored while we were looking.
      }
    }
    return entries.sort((a, b) =>
      a.trashedAtMs - b.trashedAtMs || (a.trashName < b.trashName ? -1 : 1));
  }

  digests(name: string, first: number, count: number): Promise<SpanDigests> {
    const wrong = !Number.isSafeInteger(first) || first < 0 ||
      !Number.isInteger(count) || count < 1 || count > DIGEST_SPANS_MAX;
    if (wrong) {
      const message = `Ask for 1 to ${DIGEST_SPANS_MAX} spans of a file at once.`;
      return Promise.reject(new HoldfastError('invalid', 'storage/Disk.digests', message));
    }
    const done = this.#digesting.then(() => this.#digest(name, first, count));
    this.#digesting = done.catch(() => undefined);
    return done;
  }

  async #digest(name: string, first: number, count: number): Promise<SpanDigests> {
    const file = await this.files.open(name, 'read');
    try {
      return { digests: await digestSpans(file, first, count), sizeBytes: await file.size() };
    } finally {
      await file.close();
    }
  }

  async #checkThere(): Promise<void> {
    let cause: unknown;
    try {
      if ((await placeOf(this.#root)) === this.#place) return;
    } catch (error) {
      cause = error;
    }
    const message = 'The disk is not mounted any more. Mount it and start the filer again.';
    const options = { code: 'ENODEV', facts: { diskId: this.id } };
    throw new HoldfastError('unavailable', 'storage/LocalDisk', message, { ...options, cause });
  }

  /** The last change of the inode is at the earliest when it got its name. */
  async #mayErase(name: string): Promise<boolean> {
    if (this.#eraseTrashAfterMs === Number.POSITIVE_INFINITY) return false;
    const { ctimeMs } = await stat(join(this.#root, name));
    return this.#clock.now() - ctimeMs >= this.#eraseTrashAfterMs;
  }

  /** The homes for which parts of this disk were set apart, in no order. */
  async listParts(): Promise<string[]> {
    await this.#checkThere();
    try {
      return (await readdir(join(this.#root, HOMES))).filter(isUuid);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    }
  }

  /**
   * The part of this disk that belongs to another home: a disk of its own, with its own identity,
   * writer and trash, which shares nothing with this one but the room. With `make` it is set apart
   * if it is not there yet. To be closed by the caller.
   * @throws as `open`; unavailable: this disk is not where it was.
   */
  async openPart(home: string, { make }: { make: boolean }): Promise<LocalDisk> {
    await this.#checkThere();
    const root = join(this.#root, HOMES, home);
    if (make) {
      await mkdir(root, { recursive: true, mode: 0o700 });
      await syncFolder(join(this.#root, HOMES));
      await syncFolder(this.#root);
    }
    const { clock, reserveBytes, eraseTrashAfterMs } = this.#options;
    return LocalDisk.open({
      root, clusterId: home, clock, adopt: make ? 'if-empty' : 'never',
      ...(reserveBytes !== undefined && { reserveBytes }),
      ...(eraseTrashAfterMs !== undefined && { eraseTrashAfterMs }),
    });
  }

  /** Releases the disk for others. Calm when called twice. */
  close(): Promise<void> {
    // After the change of names that is still under way.
    return this.files.inTurn(() => {
      this.#lock.release();
      return Promise.resolve();
    });
  }
}

interface LocalDiskParts {
  diskId: string;
  fence: DiskFence;
  lock: DataLock;
  place: string;
}

async function placeOf(root: string): Promise<string> {
  const { dev, ino } = await stat(join(root, DISK_MARKER));
  return `${dev} ${ino}`;
}

async function digestSpans(file: VolumeFile, first: number, count: number): Promise<Buffer[]> {
  const digests: Buffer[] = [];
  const span = Buffer.allocUnsafeSlow(DIGEST_SPAN_BYTES);
  for (let number = first; number < first + count; number++) {
    const filled = await file.read(span, number * DIGEST_SPAN_BYTES);
    if (filled === 0) break;
    digests.push(hash('sha256', span.subarray(0, filled), 'buffer'));
    if (filled < DIGEST_SPAN_BYTES) break;
    await nextTurn();
  }
  return digests;
}

function isTrashName(trashName: string): boolean {
  return isServedName(TRASH_NAME.exec(trashName)?.[3] ?? '');
}

/** @throws denied: not a name that we give. */
function parseTrashName(trashName: string): { name: string; trashedAtMs: number } {
  const match = TRASH_NAME.exec(trashName);
  const name = match?.[3] ?? '';
  if (match !== null && isServedName(name)) return { name, trashedAtMs: Number(match[1]) };
  const message = 'There is no such file in the trash. List the trash to see what there is.';
  throw new HoldfastError('denied', 'storage/Disk.restoreFromTrash', message, {
    code: 'file-name',
  });
}

async function refuseTaken(path: string): Promise<void> {
  try {
    await stat(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  const message = 'A file of that name is there. Nothing was moved.';
  throw new HoldfastError('exists', 'storage/Disk', message, { code: 'EEXIST' });
}
