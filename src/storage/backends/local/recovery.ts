/**
 * From files to a running store. First everything is read and judged (inspection, footers, hints,
 * scans); only then, when nothing speaks against it, are torn tails cut off.
 */
import type { Witness } from '../../../base/witness.ts';
import type { BlockSealer } from '../../sealing/block-sealer.ts';
import { BlockIndex, type BlockPlace } from './block-index.ts';
import type { VolumeFinding } from './findings.ts';
import { readFooter, type Trailer } from './footer-codec.ts';
import { HINT_BYTES_MAX, loadHint, type LoadedHint, type VolumePosition } from './hint-file.ts';
import {
  explained, inspectFolder, marksAway, type InspectedVolume, type Inspection,
} from './inspection.ts';
import { OpenVolume, type OpenVolumeSettings } from './open-volume.ts';
import { firstChain, HEADER_BYTES, readCommit, SUPERBLOCK_BYTES } from './record-codec.ts';
import { goneName, hintName, isDraftName, volumeName, type Volume } from './volume.ts';
import { ENTRY_BYTES, readPlace, VolumeEntries } from './volume-entries.ts';
import { errorCode, type FileCopy, type VolumeFile, type VolumeFiles } from './volume-files.ts';
import { scanVolume, type ScanResult } from './volume-scan.ts';

export interface Recovered {
  storeId: Buffer | undefined;
  volumes: Volume[];
  index: BlockIndex;
  /** Volumes without a footer that can be written: the newest goes on, the others get sealed. */
  writable: OpenVolume[];
  lastVolumeId: number;
  /** The newest volume and how much of it is durable; the next volume will tell. */
  newest: { volumeId: number; end: number };
  findings: VolumeFinding[];
  /** Hex ids of acknowledged blocks that are damaged everywhere. */
  lostIds: Set<string>;
  /** Hex ids of blocks that may be on fewer disks than anybody was promised: they can be read, but
   *  whoever puts one of them again is not told that it is safe. */
  doubtfulIds: Set<string>;
  /** Lost blocks whose ids nobody knows. */
  lostUnnamed: number;
}

export async function recover(
  files: VolumeFiles,
  { witness, isWitnessWhole }: { witness: Witness; isWitnessWhole: boolean },
  settings: OpenVolumeSettings,
  sealing?: BlockSealer,
): Promise<Recovered> {
  const inspection = await inspectFolder(files, witness);
  return new Recovery(files, inspection, { settings, sealing, mayCut: isWitnessWhole }).run();
}

interface Unsealed {
  inspected: InspectedVolume;
  volume: Volume;
  hint: LoadedHint | undefined;
  scan: ScanResult;
  /** How many of the entries came from the hint. */
  hinted: number;
}

/** Where the id of a block stands, and behind it the place. */
interface EntryAt {
  readonly bytes: Buffer;
  readonly at: number;
}

class Recovery {
  readonly #files: VolumeFiles;
  readonly #inspection: Inspection;
  readonly #settings: OpenVolumeSettings;
  readonly #sealing: BlockSealer | undefined;
  readonly #mayCut: boolean;
  #index = new BlockIndex();
  readonly #volumes: Volume[] = [];
  readonly #findings: VolumeFinding[];
  readonly #lostIds = new Set<string>();
  readonly #doubtfulIds = new Set<string>();
  /** Of volumes without a footer whose last batch may have been refused: where that begins. */
  readonly #doubtedFrom = new Map<number, number>();
  #lostUnnamed = 0;
  #newest = { volumeId: 0, end: 0 };

  constructor(
    files: VolumeFiles, inspection: Inspection,
    { settings, sealing, mayCut }: {
      settings: OpenVolumeSettings; sealing: BlockSealer | undefined; mayCut: boolean;
    },
  ) {
    this.#files = files;
    this.#inspection = inspection;
    this.#settings = settings;
    this.#sealing = sealing;
    this.#mayCut = mayCut;
    this.#findings = inspection.findings;
    this.#lostUnnamed = inspection.findings.length;
  }

  async run(): Promise<Recovered> {
    this.#index = new BlockIndex(await this.#expectedCount());
    const unsealed: Unsealed[] = [];
    for (const inspected of this.#inspection.volumes) {
      const file = await explained(inspected.id, () => this.#open(inspected.id, 'read'));
      try {
        if (await this.#loadSealed(inspected, file)) continue;
        unsealed.push(await explained(inspected.id, () => this.#scan(inspected, file)));
      } finally {
        await file.close();
      }
    }
    const torn = unsealed.find(({ scan }) => scan.verdict === 'torn');
    if (torn !== undefined && !this.#mayCut) throw marksAway(torn.volume.id);
    // From here on things are written.
    await this.#removeDrafts();
    const writable: OpenVolume[] = [];
    for (const one of unsealed) {
      const open = await this.#makeDurable(one);
      if (open !== undefined) writable.push(open);
      this.#indexEntries(one.volume);
    }
    this.#countLost();
    const { storeId, lastVolumeId } = this.#inspection;
    return {
      storeId, lastVolumeId, writable, volumes: this.#volumes, index: this.#index,
      newest: this.#newest,
      findings: this.#findings, lostIds: this.#lostIds, lostUnnamed: this.#lostUnnamed,
      doubtfulIds: this.#doubtfulIds,
    };
  }

  /** How many blocks there are, as far as footers and hints tell without being read. */
  async #expectedCount(): Promise<number> {
    let count = 0;
    for (const { id, trailer } of this.#inspection.volumes) {
      if (trailer !== undefined) count += trailer.entryCount;
      else if (this.#inspection.fileNames.includes(hintName(id))) {
        count += await this.#hintedCount(id);
      }
    }
    return count;
  }

  /** 0 when the hint cannot be read: it saves time, and nothing depends on it. */
  async #hintedCount(id: number): Promise<number> {
    try {
      const file = await this.#files.open(hintName(id), 'read');
      try {
        return Math.floor(Math.min(await file.size(), HINT_BYTES_MAX) / ENTRY_BYTES);
      } finally {
        await file.close();
      }
    } catch {
      return 0;
    }
  }

  #open(id: number, how: 'read' | 'write'): Promise<VolumeFile> {
    return this.#files.open(volumeName(id), how);
  }

  /** False when there is no footer, or a damaged one: then the volume is scanned. */
  async #loadSealed({ id, superblock, trailer }: InspectedVolume, file: VolumeFile) {
    if (trailer === undefined) return false;
    const { dataEnd } = trailer;
    const doubtfulFrom = await explained(id, () =>
      startOfDoubt(file, { dataEnd, seed: superblock.seed }));
    const loaded = await explained(id, () =>
      readSoundFooter(file, trailer, (bytes, at) => {
        const place = readPlace(bytes, at);
        this.#setPlace({ bytes, at }, { volumeId: id, ...place }, place.offset >= doubtfulFrom);
      }),
    );
    if (!loaded) return false;
    const { seed, createdMs, formatVersion } = superblock;
    this.#volumes.push({ id, seed, createdMs, entries: undefined, trailer, formatVersion });
    this.#newest = { volumeId: id, end: trailer.dataEnd };
    return true;
  }

  async #scan(inspected: InspectedVolume, file: VolumeFile): Promise<Unsealed> {
    const { id, sizeBytes, superblock, trailer } = inspected;
    const { seed } = superblock;
    const key = { volumeId: id, seed };
    const start = { end: SUPERBLOCK_BYTES, nextBatch: 1, chain: firstChain(seed) };
    let entries = new VolumeEntries();
    let hint = await this.#loadHint(key, entries);
    let markEnd = Math.max(inspected.markEnd, trailer?.dataEnd ?? 0);
    if (hint !== undefined) {
      markEnd = Math.max(markEnd, hint.position.end);
      if (!(await endsWith(file, seed, hint.position))) {
        // The hint is genuine and the volume is not what it was: read all of it.
        hint = undefined;
        entries = new VolumeEntries();
      }
    }
    const hinted = entries.count;
    const from = hint?.position ?? start;
    const sealing = this.#sealing;
    const scan = await scanVolume({ file, sizeBytes, key, from, markEnd, entries, sealing });
    const { createdMs, formatVersion } = superblock;
    const volume: Volume = { id, seed, createdMs, entries, trailer: undefined, formatVersion };
    this.#volumes.push(volume);
    this.#newest = { volumeId: id, end: scan.position.end };
    this.#findings.push(...scan.findings);
    for (const lostId of scan.lostIds) this.#lostIds.add(lostId);
    this.#lostUnnamed += scan.lostCount - scan.lostIds.length;
    return { inspected, volume, hint, scan, hinted };
  }

  async #loadHint(
    key: { volumeId: number; seed: Buffer },
    entries: VolumeEntries,
  ): Promise<LoadedHint | undefined> {
    const name = hintName(key.volumeId);
    if (!this.#inspection.fileNames.includes(name)) return undefined;
    try {
      const file = await this.#files.open(name, 'read');
      try {
        return await loadHint(file, key, entries);
      } finally {
        await file.close();
      }
    } catch {
      // Entries that were read before the error are right, but the place that goes with them is
      // not known: the caller starts with the volume from scratch.
      entries.dropFrom(0);
      return undefined;
    }
  }

  /** Leftovers of volumes whose making was cut short: nobody ever had a block in them. */
  async #removeDrafts(): Promise<void> {
    for (const name of this.#inspection.fileNames.filter(isDraftName)) {
      await explained(0, () => this.#files.remove(name));
    }
    // The note was written for a volume that then stayed, or it has come back since.
    for (const id of this.#inspection.returned) {
      await explained(id, () => this.#files.remove(goneName(id)));
    }
    // A program that was killed may have made a volume and not got round to this.
    if (this.#inspection.fileNames.length > 0) await explained(0, () => this.#files.syncFolder());
  }

  /**
   * A crash may have left bytes in the system's memory that look as if they were on disk. Only the
   * last batch can be such: each one was synced before the next was written. Its bytes are written
   * again, as they are, because a sync that failed before the crash may have marked them as safe
   * without writing them. Returns the volume if it can be written.
   */
  async #makeDurable({ inspected, volume, scan, hint, hinted }: Unsealed) {
    const { id, markEnd } = inspected;
    let file: VolumeFile | undefined;
    try {
      file = await this.#open(id, scan.verdict === 'rotten' ? 'read' : 'write');
      if (scan.verdict === 'rotten') {
        await file.datasync();
        await file.close();
        return undefined;
      }
      if (scan.verdict === 'torn') {
        await file.truncate(scan.position.end);
        await file.sync();
      }
      if (scan.lastBatch !== undefined) await rewrite(file, scan.lastBatch);
      const hintProgress = {
        hintBytes: hint?.hintBytes ?? 0,
        entryCount: hinted,
        end: hint?.position.end ?? SUPERBLOCK_BYTES,
      };
      if (file.degraded === true) {
        // It may have been written to the other copies alone, and refused.
        if (scan.lastBatch !== undefined) this.#doubtedFrom.set(id, scan.lastBatch.start);
        this.#claimLess(inspected, scan);
      }
      const [files, settings, { position }] = [this.#files, this.#settings, scan];
      return new OpenVolume({ files, file, volume, position, settings, hintProgress });
    } catch (error) {
      this.#findings.push({ kind: 'write-failed', volumeId: id, code: errorCode(error) });
      const last = scan.lastBatch;
      // What nobody was told to be safe is not passed off as safe now. But perhaps somebody was.
      if (last !== undefined && last.end > markEnd) this.#doubtedFrom.set(id, last.start);
      this.#claimLess(inspected, scan);
      await file?.close();
      return undefined;
    }
  }

  /** The next volume must not say of this one that its last batch is durable when nobody knows it:
   *  were it lost to a power cut, acknowledged bytes would seem to be gone. */
  #claimLess({ id, markEnd }: InspectedVolume, { lastBatch: last }: ScanResult): void {
    if (last === undefined || last.end <= markEnd || this.#newest.volumeId !== id) return;
    this.#newest = { volumeId: id, end: last.start };
  }

  #indexEntries({ id, entries }: Volume): void {
    if (entries === undefined) return;
    const isNewest = id === this.#newest.volumeId;
    const doubtedFrom = this.#doubtedFrom.get(id) ?? Infinity;
    for (let number = 0; number < entries.count; number++) {
      const entry = entries.at(number);
      const { bytes, at } = entry;
      const place = readPlace(bytes, at);
      // A block that was damaged and stored again lies in two volumes: the newer copy counts.
      const isOlder = !isNewest && (this.#index.find(bytes, at)?.volumeId ?? 0) > id;
      if (isOlder && !this.#isDoubtful(entry)) continue;
      this.#setPlace(entry, { volumeId: id, ...place }, place.offset >= doubtedFrom);
    }
  }

  /** A record that a power cut may take must not make garbage of another one of the same block. */
  #setPlace(entry: EntryAt, place: BlockPlace, isDoubtful: boolean): void {
    const { bytes, at } = entry;
    if (isDoubtful && this.#index.has(bytes, at)) return;
    this.#index.set(bytes, at, place);
    if (isDoubtful) this.#doubtfulIds.add(hexId(entry));
    else if (this.#isDoubtful(entry)) this.#doubtfulIds.delete(hexId(entry));
  }

  #isDoubtful(entry: EntryAt): boolean {
    return this.#doubtfulIds.size > 0 && this.#doubtfulIds.has(hexId(entry));
  }

  /** A block that was stored again after it was damaged is not lost. */
  #countLost(): void {
    for (const lostId of this.#lostIds) {
      if (this.#index.has(Buffer.from(lostId, 'hex'), 0)) this.#lostIds.delete(lostId);
    }
  }
}

function hexId({ bytes, at }: EntryAt): string {
  return bytes.toString('hex', at, at + 32);
}

/** From the file, or from another copy of it if there are any. */
async function readSoundFooter(
  file: VolumeFile,
  trailer: Trailer,
  take: (bytes: Buffer, at: number) => void,
): Promise<boolean> {
  if (await readFooter(file, trailer, take)) return true;
  const wrong: FileCopy[] = [];
  for (const copy of file.copies ?? []) {
    const sound = await readFooter(copy, trailer, take).catch(() => undefined);
    if (sound === false) wrong.push(copy);
    if (sound !== true) continue;
    for (const bad of wrong) bad.reportDamage(trailer.bodyAt, trailer.bodyBytes);
    return true;
  }
  return false;
}

/**
 * Of a sealed volume of which a copy is missing: where its last batch begins. It may have been
 * written to the other copies alone, and refused; whoever puts one of its blocks stores it again.
 * Batches before it were on all copies when the next one was written.
 */
async function startOfDoubt(
  file: VolumeFile, { dataEnd, seed }: { dataEnd: number; seed: Buffer },
): Promise<number> {
  if (file.degraded !== true) return Infinity;
  const bytes = Buffer.alloc(HEADER_BYTES);
  const filled = await file.read(bytes, dataEnd - HEADER_BYTES);
  const isWhole = filled === HEADER_BYTES;
  const commit = isWhole ? readCommit(bytes, 0, seed, dataEnd - HEADER_BYTES) : undefined;
  return commit?.batchStart ?? 0;
}

/** True when the volume has, just before that position, the commit record that leads to it. */
async function endsWith(
  file: VolumeFile,
  seed: Buffer,
  { end, chain }: VolumePosition,
): Promise<boolean> {
  if (end === SUPERBLOCK_BYTES) return true;
  const bytes = Buffer.alloc(HEADER_BYTES);
  const filled = await file.read(bytes, end - HEADER_BYTES);
  if (filled !== HEADER_BYTES) return false;
  return readCommit(bytes, 0, seed, end - HEADER_BYTES)?.chain.equals(chain) ?? false;
}

async function rewrite(
  file: VolumeFile,
  { start, end }: { start: number; end: number },
): Promise<void> {
  const bytes = Buffer.allocUnsafeSlow(end - start);
  const filled = await file.read(bytes, start);
  if (filled !== bytes.length) throw new Error('a volume has become shorter while it was read');
  await file.write([bytes], start);
  await file.datasync();
}
