import type { FileCopy, OpenMode, VolumeFile } from '../backends/local/volume-files.ts';
import type { DiskLink } from './disk-link.ts';
import { FileLeg } from './file-leg.ts';

/** What a file needs to know of the store it is a file of. */
export interface FileSurroundings {
  /** Under which it is to be opened now. */
  nameNow(): string;
  /** Disks whose copy is right, as far as known, those that answer first. */
  sources(): DiskLink[];
  /** Is the copy on that disk whole, as far as known? */
  isWhole(link: DiskLink): boolean;
  /** Is its copy as good as any? What only damaged ones took is soon nowhere: these are remade. */
  isTrusted(link: DiskLink): boolean;
  /** All other disks that have, or should have, a copy. */
  lastResorts(): DiskLink[];
  /** Where no disk helps: the file computed from others. Undefined: nobody can. */
  decoded(): Pick<FileCopy, 'read'> & Pick<VolumeFile, 'size'> | undefined;
  /** Another number: the file on that disk is another one than before. */
  versionOf(link: DiskLink): number;
  /** On so many disks a write must have succeeded. */
  writesMin(): number;
  /** True when a copy is missing or has fallen behind: nothing more should be added. */
  isDegraded(): boolean;
  /** The file goes up to there at least. */
  onWritten(end: number): void;
  /** Enough copies have these bytes, durably. */
  onDurable(pieces: readonly Uint8Array[], position: number): void;
  /** The file was cut off. */
  onCut(): void;
  /** Enough copies have all of the file, durably; this was written last. */
  onSynced(lastPiece: Uint8Array | undefined): void;
  /** A write or sync on that disk has failed, or never reached it because it has no handle. */
  onWriteFailed(link: DiskLink, error: unknown): void;
  onReadFailed(link: DiskLink, error: unknown): void;
  onDamage(link: DiskLink, position: number, lengthBytes: number): void;
  onClosed(): void;
}

interface Reader {
  readonly leg: FileLeg;
  readonly version: number;
}

/** A write that fewer disks took than must. */
export class TooFewCopiesError extends Error {
  override readonly name = 'TooFewCopiesError';
  readonly code = 'TOO_FEW_COPIES';
}

class DifferingCopiesError extends Error {
  override readonly name = 'DifferingCopiesError';
  readonly code = 'COPIES_DIFFER';

  constructor() {
    super('the copies of a volume are not alike');
  }
}

/** One file that lies on several disks. */
export class ReplicatedFile implements VolumeFile {
  readonly #how: OpenMode;
  readonly #around: FileSurroundings;
  /** Written to, and read from. */
  readonly #legs = new Map<DiskLink, FileLeg>();
  /** Opened when they are needed, for reading only. */
  readonly #readers = new Map<DiskLink, Reader>();
  readonly #opening = new Map<DiskLink, Promise<FileLeg>>();
  #unsyncedBytes = 0;
  #lastPiece: Uint8Array | undefined;
  #closed = false;

  /** `legs`: what is written to; for reading, none. */
  constructor(how: OpenMode, legs: readonly FileLeg[], around: FileSurroundings) {
    this.#how = how;
    this.#around = around;
    for (const leg of legs) this.#legs.set(leg.link, leg);
  }

  /** See VolumeFile. */
  get degraded(): boolean {
    return this.#around.isDegraded() || [...this.#legs.values()].some(({ failed }) => failed);
  }

  /** See VolumeFile. */
  get copies(): readonly FileCopy[] {
    const links = [...this.#around.sources(), ...this.#around.lastResorts()];
    const copies: FileCopy[] = links.map((link) => ({
      read: async (into, position) => (await this.#leg(link)).read(into, position),
      reportDamage: (position, lengthBytes) => this.#around.onDamage(link, position, lengthBytes),
    }));
    const decoded = this.#around.decoded();
    if (decoded === undefined) return copies;
    const read: FileCopy['read'] = (into, position) => decoded.read(into, position);
    // What it gives was compared with checksums: if it is wrong, nobody knows better.
    return [...copies, { read, reportDamage: () => undefined }];
  }

  size(): Promise<number> {
    const size = (leg: FileLeg): Promise<number> => leg.run(0, (file) => file.size());
    const decoded = this.#around.decoded();
    // Its length was written down when it was sealed.
    if (decoded !== undefined) return decoded.size();
    return this.#fromAny(size, [...this.#around.sources(), ...this.#around.lastResorts()]);
  }

  read(into: Uint8Array, position: number): Promise<number> {
    if (this.#how === 'write') return this.#readAlike(into, position);
    const decoded = this.#around.decoded();
    if (decoded !== undefined) return this.#readOrDecode(decoded, into, position);
    const sources = this.#around.sources();
    const alone = sources.length === 1 && this.#around.lastResorts().length === 0;
    if (alone) return this.#fromAny((leg) => leg.readAlone(into, position));
    return this.#fromAny((leg) => leg.read(into, position));
  }

  write(pieces: readonly Uint8Array[], position: number): Promise<void> {
    const lengthBytes = lengthOf(pieces);
    this.#unsyncedBytes += lengthBytes;
    this.#lastPiece = pieces.at(-1);
    this.#around.onWritten(position + lengthBytes);
    return this.#onAll(lengthBytes, (file) => file.write(pieces, position));
  }

  datasync(): Promise<void> {
    // The store syncs what it only reads from, too: a crash may have left it in memory.
    if (this.#how === 'read') return this.#fromAny((leg) => leg.run(0, (file) => file.datasync()));
    return this.#onAll(this.#syncBytes(), (file) => file.datasync());
  }

  async writeDurably(pieces: readonly Uint8Array[], position: number): Promise<void> {
    const lengthBytes = lengthOf(pieces);
    this.#around.onWritten(position + lengthBytes);
    await this.#onAll(lengthBytes, (file) => file.writeDurably(pieces, position));
    this.#around.onDurable(pieces, position);
  }

  async sync(): Promise<void> {
    const last = this.#lastPiece;
    await this.#onAll(this.#syncBytes(), (file) => file.sync());
    this.#around.onSynced(last);
  }

  truncate(sizeBytes: number): Promise<void> {
    this.#lastPiece = undefined;
    this.#around.onCut();
    return this.#onAll(0, (file) => file.truncate(sizeBytes));
  }

  /** Errors of single disks do not count: what had to be safe was synced before. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const legs = [...this.#legs.values(), ...[...this.#readers.values()].map(({ leg }) => leg)];
    await Promise.allSettled(legs.map((leg) => leg.close()));
    this.#around.onClosed();
  }

  /** Whoever reads from a file that he writes is going to write that again, to all copies: damage
   *  to one of them must not spread. @throws an error if they are not alike. */
  async #readAlike(into: Uint8Array, position: number): Promise<number> {
    let first: Buffer | undefined;
    let failure: unknown = new Error('no copy of the file can be reached');
    for (const link of this.#around.sources()) {
      const bytes = Buffer.allocUnsafeSlow(into.length);
      let filled;
      try {
        filled = await (await this.#leg(link)).read(bytes, position);
      } catch (error) {
        failure = error;
        this.#giveUpLeg(link, error);
        continue;
      }
      first ??= bytes.subarray(0, filled);
      if (!first.equals(bytes.subarray(0, filled))) throw new DifferingCopiesError();
    }
    if (first === undefined) throw failure;
    into.set(first);
    return first.length;
  }

  /** From its own file while there is a whole one on a disk that answers. */
  async #readOrDecode(
    decoded: Pick<FileCopy, 'read'>, into: Uint8Array, position: number,
  ): Promise<number> {
    const sources = this.#around.sources();
    const ready = sources.filter((link) => link.silentSinceMs === undefined
      && this.#around.isWhole(link));
    try {
      return await this.#fromAny((leg) => leg.read(into, position), ready);
    } catch {
      // Whether the disk is silent or refuses, what was stored there can be computed.
    }
    try {
      return await decoded.read(into, position);
    } catch (error) {
      const others = sources.filter((link) => !ready.includes(link));
      if (others.length === 0) throw error;
      return this.#fromAny((leg) => leg.read(into, position), others);
    }
  }

  /** It is not written again through this handle. */
  #giveUpLeg(link: DiskLink, error: unknown): void {
    const leg = this.#legs.get(link);
    if (leg !== undefined) leg.failed = true;
    this.#around.onWriteFailed(link, error);
  }

  async #fromAny<T>(
    act: (leg: FileLeg) => Promise<T>,
    links: readonly DiskLink[] = this.#around.sources(),
  ): Promise<T> {
    let failure: unknown = new Error('no copy of the file can be reached');
    for (const link of links) {
      try {
        return await act(await this.#leg(link));
      } catch (error) {
        failure = error;
        await this.#dropReader(link);
        this.#around.onReadFailed(link, error);
      }
    }
    throw failure;
  }

  /** The file may have come back under another handle: the next read opens it anew. */
  async #dropReader(link: DiskLink): Promise<void> {
    const reader = this.#readers.get(link);
    this.#readers.delete(link);
    await reader?.leg.close().catch(() => undefined);
  }

  async #leg(link: DiskLink): Promise<FileLeg> {
    const writer = this.#legs.get(link);
    if (writer?.failed === false) return writer;
    const reader = this.#readers.get(link);
    const version = this.#around.versionOf(link);
    if (reader?.version === version) return reader.leg;
    await this.#dropReader(link);
    let opening = this.#opening.get(link);
    if (opening === undefined) {
      opening = link.open(this.#around.nameNow(), 'read').then((file) => new FileLeg(link, file));
      this.#opening.set(link, opening);
    }
    try {
      const leg = await opening;
      if (this.#closed) await leg.close();
      else this.#readers.set(link, { leg, version });
      return leg;
    } finally {
      this.#opening.delete(link);
    }
  }

  /** What the next sync has to carry to the disk. */
  #syncBytes(): number {
    const lengthBytes = this.#unsyncedBytes;
    this.#unsyncedBytes = 0;
    return lengthBytes;
  }

  /** Resolves when enough have done it; whoever has not is never written again through here. */
  async #onAll(lengthBytes: number, act: (file: VolumeFile) => Promise<void>): Promise<void> {
    if (this.#how === 'read') throw Object.assign(new Error('open for reading'), { code: 'EBADF' });
    const legs = [...this.#legs.values()].filter(({ failed }) => !failed);
    const trusted = new Set(legs.filter(({ link }) => this.#around.isTrusted(link)));
    let failure: unknown;
    let done = 0;
    let isTaken = false;
    await Promise.all(legs.map(async (leg) => {
      try {
        await leg.run(lengthBytes, act);
        if (leg.link.refusal !== undefined) leg.link.noteTaken();
        isTaken ||= trusted.has(leg);
        done++;
      } catch (error) {
        failure ??= error;
        this.#giveUpLeg(leg.link, error);
      }
    }));
    if (isTaken && done >= Math.max(1, this.#around.writesMin())) return;
    throw new TooFewCopiesError('too few copies of the volume took a write', { cause: failure });
  }
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/** As a disk says it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
