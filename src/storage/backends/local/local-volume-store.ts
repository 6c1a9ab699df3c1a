import { randomBytes } from 'node:crypto';
import { HoldfastError, isKind } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import type { Witness } from '../../../base/witness.ts';
import type { Clock } from '../../../platform/index.ts';
import type { Block } from '../../block.ts';
import { checkRange, type BlockRange } from '../../block-range.ts';
import type { BlockStore, BlockStoreState } from '../../block-store.ts';
import { RecentBlocks } from '../../recent-blocks.ts';
import { BlockSealer, isKeyFault } from '../../sealing/block-sealer.ts';
import { AgeWatch } from './age-watch.ts';
import type { BlockIndex, BlockPlace } from './block-index.ts';
import { readBlock } from './block-reader.ts';
import type { OnFinding } from './findings.ts';
import { explained, inspectFolder } from './inspection.ts';
import { listBlocks } from './listing.ts';
import { LocalReclaim } from './local-reclaim.ts';
import { NodeVolumeFiles } from './node-volume-files.ts';
import { createVolume, type OpenVolume } from './open-volume.ts';
import { findOtherRecords } from './other-records.ts';
import { readKeyId } from './packed-record.ts';
import { FORMAT_VERSION, PACKED_FORMAT_VERSION } from './record-codec.ts';
import { recover, type Recovered } from './recovery.ts';
import { SpaceGuard } from './space-guard.ts';
import { VOLUME_DEFAULTS, type VolumeConfig } from './volume-config.ts';
import type { VolumeFiles } from './volume-files.ts';
import { VolumeKeeper } from './volume-keeper.ts';
import { VolumeReader } from './volume-reader.ts';
import { VolumeSealer } from './volume-sealer.ts';
import type { Volume } from './volume.ts';
import { WriterLane } from './writer-lane.ts';

export interface LocalVolumeOptions {
  /** The folder of the volumes. It must belong to this store alone, and to one process. */
  root: string;
  /** What the metadata store knows to be durable; empty for a new store. */
  witness: Witness;
  /** False: not all who refer to its bytes could be asked. Then nothing is cut off. Left out: all
   *  could. */
  isWitnessWhole?: boolean | undefined;
  clock: Clock;
  /** Hears of everything that is found wrong, at opening and later. Must not throw. */
  onFinding: OnFinding;
  config?: Partial<VolumeConfig>;
  /** Compresses and encrypts blocks on their way to the disk; undefined: they lie there as they
   *  are. What was packed before is read all the same, if its key is here. */
  sealer?: BlockSealer | undefined;
  /** Instead of the folder at `root`, for tests. */
  files?: VolumeFiles;
}

/**
 * A BlockStore in append-only volume files in one folder: docs/formats/volume.md.
 *
 * A put resolves after one sync that it shares with everything that arrived while the previous one
 * ran. A volume of which a write or sync has failed is never written again; the batch goes to a new
 * one. Opening cuts off what a crash left half written, and never touches damage to bytes that were
 * acknowledged: such a volume is only read from, and its whole blocks are served.
 */
export class LocalVolumeStore implements BlockStore {
  /** What a collector needs of this store: what is garbage… */
  readonly reclaim: LocalReclaim;
  /** …and how its room is given back. */
  readonly keeper: VolumeKeeper;
  readonly #options: LocalVolumeOptions;
  readonly #config: VolumeConfig;
  readonly #files: VolumeFiles;
  readonly #storeId: Buffer;
  readonly #volumes: Volume[];
  readonly #index: BlockIndex;
  readonly #guard: SpaceGuard;
  readonly #reader: VolumeReader;
  readonly #sealer: VolumeSealer;
  readonly #recent: RecentBlocks;
  readonly #lane: WriterLane;
  readonly #ages: AgeWatch;
  /** Blocks that were acknowledged and cannot be read. */
  readonly #damaged: Set<string>;
  /** Blocks that can be read and must be stored again if they are put. */
  readonly #doubtful: Set<string>;
  readonly #lostUnnamed: number;
  /** Durable bytes of each volume that was written since the start. */
  readonly #durable = new Map<number, number>();
  readonly #key = Buffer.alloc(32);
  #lastVolumeId: number;
  #newest: { volumeId: number; end: number };
  #closing: Promise<void> | undefined;

  private constructor(options: LocalVolumeOptions, files: VolumeFiles, recovered: Recovered) {
    this.#options = options;
    this.#config = { ...VOLUME_DEFAULTS, ...options.config };
    this.#files = files;
    this.#storeId = recovered.storeId ?? randomBytes(16);
    this.#volumes = recovered.volumes;
    this.#index = recovered.index;
    this.reclaim = new LocalReclaim(this.#index, () => this.list());
    this.#damaged = recovered.lostIds;
    this.#doubtful = recovered.doubtfulIds;
    this.#lostUnnamed = recovered.lostUnnamed;
    this.#lastVolumeId = recovered.lastVolumeId;
    this.#newest = recovered.newest;
    this.#guard = new SpaceGuard(files, options.clock, this.#config.reserveBytes);
    this.#reader = new VolumeReader(files, this.#config.openFilesMax, options.sealer);
    this.#sealer = new VolumeSealer(options.onFinding);
    this.#recent = new RecentBlocks(this.#config);
    this.#lane = this.#makeLane(recovered);
    this.keeper = new VolumeKeeper({
      files, clock: options.clock, storeId: this.#storeId, volumes: this.#volumes,
      index: this.#index, reader: this.#reader, lane: this.#lane, sealer: this.#sealer,
      onFinding: options.onFinding, checkOpen: () => this.#checkOpen('keeper'),
    });
    this.#ages = new AgeWatch({
      clock: options.clock, sealAfterMs: this.#config.sealAfterMs,
      open: () => this.#lane.open?.volume, end: (volumeId) => void this.#lane.endOpen(volumeId),
    });
  }

  /**
   * Reads the folder, or makes it, and repairs what a crash has left.
   * @throws corrupt: stored bytes are missing, or a volume cannot be recognized; invalid: a volume
   *   of another store; unavailable: the disk does not answer, or `marks-away`: whether an end was
   *   acknowledged cannot be found out at the moment. Nothing has been changed then.
   */
  static async open(options: LocalVolumeOptions): Promise<LocalVolumeStore> {
    const files = options.files ?? new NodeVolumeFiles(options.root);
    const settings = { ...VOLUME_DEFAULTS, ...options.config };
    const sealing = options.sealer ?? new BlockSealer({ compression: 'off' });
    const { witness, isWitnessWhole = true } = options;
    const recovered = await recover(files, { witness, isWitnessWhole }, settings, sealing);
    await explained(0, () => files.prepare());
    for (const finding of recovered.findings) options.onFinding(finding);
    const store = new LocalVolumeStore(options, files, recovered);
    await store.#guard.check();
    return store;
  }

  put(block: Block, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    if (this.#closing !== undefined) return Promise.reject(this.#closed('put'));
    this.#key.write(block.id, 0, 32, 'hex');
    const known = this.#index.touch(this.#key, 0);
    const isThere = known !== undefined && this.#isSafe(block.id);
    if (isThere && !this.#isMixed()) return Promise.resolve();
    const stored = isThere ? this.#putLocked(block, known) : this.#putNew(block);
    return signal === undefined ? stored : orAbort(stored, signal);
  }

  /** Was it stored as promised, as far as known? */
  #isSafe(id: BlockId): boolean {
    return !this.#damaged.has(id) && !this.#doubtful.has(id);
  }

  #putNew(block: Block): Promise<void> {
    return this.#lane.waitingFor(block.id) ?? this.#lane.put(block);
  }

  /** A block that is there, but perhaps under a key that is lost or destroyed: then it is not. */
  async #putLocked(block: Block, place: BlockPlace): Promise<void> {
    const keyId = await this.#keyIdOf(block.id, place);
    if (!this.#reader.sealing.isLocked(keyId)) return;
    if (this.#closing !== undefined) throw this.#closed('put');
    await this.#putNew(block);
  }

  #keyIdOf(id: BlockId, place: BlockPlace): Promise<number> {
    const { volumeId } = place;
    const source = {
      read: (into: Uint8Array, at: number) => this.#reader.read(volumeId, into, at),
    };
    return explained(volumeId, () => readKeyId(source, place, id));
  }

  /** May a block be encrypted? */
  #isMixed(): boolean {
    return this.#volumes.some(({ formatVersion }) => formatVersion === PACKED_FORMAT_VERSION);
  }

  get(id: BlockId, signal?: AbortSignal): Promise<Buffer> {
    return this.#read(id, undefined, signal);
  }

  read(
    ...[id, offsetBytes, lengthBytes, signal, into]: Parameters<BlockStore['read']>
  ): Promise<Buffer> {
    return this.#read(id, { offsetBytes, lengthBytes }, signal, into);
  }

  async #read(
    id: BlockId, range?: BlockRange, signal?: AbortSignal, into?: Buffer,
  ): Promise<Buffer> {
    signal?.throwIfAborted();
    this.#checkOpen('get');
    const recent = this.#recent.find(id);
    const place = recent === undefined ? this.#find(id) : undefined;
    const sizeBytes = recent?.length ?? place?.sizeBytes;
    if (sizeBytes === undefined) throw this.#absent(id);
    if (range !== undefined) checkRange('storage/LocalVolumeStore.read', sizeBytes, range);
    if (recent !== undefined) return range === undefined ? recent : cut(recent, range);
    if (place === undefined) throw this.#absent(id);
    const small = sizeBytes <= this.#config.recentBlockBytesMax;
    const wanted = { id, place, range: small ? undefined : range, into };
    const read = readBlock(this.#reader, this.#options.onFinding, wanted);
    try {
      const bytes = await (signal === undefined ? read : orAbort(read, signal));
      if (wanted.range !== undefined) return bytes;
      this.#damaged.delete(id);
      this.#recent.add(id, [bytes], bytes.length);
      return range === undefined ? bytes : cut(bytes, range);
    } catch (error) {
      if (!isKind(error, 'corrupt')) throw error;
      const bytes = await this.#readElsewhere(id, place);
      if (bytes !== undefined) return range === undefined ? bytes : cut(bytes, range);
      this.#damaged.add(id);
      throw error;
    }
  }

  /** After a bad record: another one of the same block, if there is one. It counts from now on. */
  async #readElsewhere(id: BlockId, known: BlockPlace): Promise<Buffer | undefined> {
    const others = await findOtherRecords(this.#reader, [...this.#volumes], { id, known });
    for (const place of others) {
      try {
        const bytes = await readBlock(this.#reader, this.#options.onFinding, { id, place });
        this.#key.write(id, 0, 32, 'hex');
        const volume = this.#volumes.find((one) => one.id === place.volumeId);
        const stays = volume !== undefined && volume.isLeaving !== true;
        if (stays) this.#index.move(this.#key, 0, { from: known, to: place });
        return bytes;
      } catch (error) {
        const isThatRecords = isKind(error, 'corrupt') || isKind(error, 'unavailable');
        if (!isThatRecords && !isKeyFault(error)) throw error;
      }
    }
    return undefined;
  }

  async find(id: BlockId): Promise<{ sizeBytes: number } | undefined> {
    this.#checkOpen('find');
    if (!this.#isSafe(id)) return undefined;
    const place = this.#find(id);
    if (place === undefined) return undefined;
    const { sealing } = this.#reader;
    if (sealing.hasShredded && sealing.isShredded(await this.#keyIdOf(id, place))) return undefined;
    return { sizeBytes: place.sizeBytes };
  }

  async *list(after?: BlockId): AsyncGenerator<BlockId> {
    this.#checkOpen('list');
    // A volume that leaves meanwhile is still read: what it held has moved, or was dropped.
    const volumes = [...this.#volumes];
    for await (const id of listBlocks(this.#reader, volumes, after)) {
      this.#checkOpen('list');
      if (!this.#damaged.has(id) && this.#find(id) !== undefined) yield id;
    }
  }

  state(): BlockStoreState {
    return {
      blockCount: this.#index.count,
      storedBytes: this.#index.storedBytes,
      refusesWrites: this.#refusal(),
      queuedBytes: this.#lane.queuedBytes,
      damagedCount: this.#damaged.size + this.#lostUnnamed,
    };
  }

  /** What is durable in every volume that was written since the start. Cheap. */
  witness(): Witness {
    return [...this.#durable];
  }

  /** Whether all is here that somebody refers to who could not be asked at the start. Changes
   *  nothing. @throws corrupt: a volume is missing or shorter; unavailable. */
  async checkMarks(witness: Witness): Promise<void> {
    this.#checkOpen('checkMarks');
    await inspectFolder(this.#files, witness);
  }

  /** Ends the volume that is being written if a copy of it is missing, so that it can be copied.
   *  Resolves when it, and whatever else was to be, is sealed. */
  async endDegraded(): Promise<void> {
    if (this.#closing === undefined) this.#lane.endDegraded();
    await this.#sealer.drain();
  }

  /** Has nothing written while `act` changes what lies beneath: puts wait, and reads go on. What
   *  was being written is sealed before, and files are opened anew afterwards. The keeper must be
   *  at rest. @throws what `act` throws; unavailable: closed. */
  async atRest(act: () => Promise<void>): Promise<void> {
    this.#checkOpen('atRest');
    const goOn = await this.#lane.rest();
    try {
      await this.#sealer.drain();
      await act();
    } finally {
      goOn();
      await this.#reader.reopen();
    }
  }

  /** Bytes of memory that the index takes. */
  indexMemoryBytes(): number {
    return this.#index.memoryBytes;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#ages.stop();
    await this.#lane.drain();
    const { open } = this.#lane;
    if (open !== undefined) this.#sealer.take(open, false);
    await this.#sealer.drain();
    this.#guard.stop();
    await this.#reader.close();
  }

  #makeLane(recovered: Recovered): WriterLane {
    let first: OpenVolume | undefined;
    for (const open of recovered.writable) {
      if (open.volume.id === this.#newest.volumeId) first = open;
      else this.#sealer.take(open, true);
    }
    const isWhole = (first?.volume.entries?.count ?? 0) > 0 && first?.degraded === false;
    if (first !== undefined && isWhole) this.#noteDurable(first);
    const { sealing } = this.#reader;
    if (first !== undefined && sealing.packs &&
      first.volume.formatVersion !== PACKED_FORMAT_VERSION) {
      // It does not announce packed blocks, so it gets none.
      this.#sealer.take(first, true);
      first = undefined;
    }
    return new WriterLane({
      limits: this.#config,
      clock: this.#options.clock,
      index: this.#index,
      guard: this.#guard,
      pack: sealing.packs ? (block) => sealing.pack(block) : undefined,
      onFinding: this.#options.onFinding,
      first,
      nextVolume: () => this.#nextVolume(),
      retire: (volume, sound) => this.#sealer.take(volume, sound),
      onDurable: (volume) => this.#noteDurable(volume),
      onStored: (block) => {
        if (this.#damaged.size > 0) this.#damaged.delete(block.id);
        if (this.#doubtful.size > 0) this.#doubtful.delete(block.id);
        this.#recent.add(block.id, block.pieces, block.sizeBytes);
      },
    });
  }

  async #nextVolume(): Promise<OpenVolume> {
    await this.#sealer.room();
    this.#lastVolumeId++;
    const open = await createVolume(
      this.#files,
      {
        id: this.#lastVolumeId,
        storeId: this.#storeId,
        createdMs: this.#options.clock.now(),
        previousVolumeId: this.#newest.volumeId,
        previousEnd: this.#newest.end,
        formatVersion: this.#reader.sealing.packs ? PACKED_FORMAT_VERSION : FORMAT_VERSION,
      },
      this.#config,
    );
    this.#volumes.push(open.volume);
    return open;
  }

  #noteDurable({ volume, position }: OpenVolume): void {
    this.#durable.set(volume.id, position.end);
    this.#newest = { volumeId: volume.id, end: position.end };
  }

  #find(id: BlockId) {
    this.#key.write(id, 0, 32, 'hex');
    return this.#index.find(this.#key, 0);
  }

  #refusal(): BlockStoreState['refusesWrites'] {
    if (this.#closing !== undefined) return 'closed';
    if (this.#lane.failure !== undefined) return 'failed';
    return this.#guard.full ? 'full' : undefined;
  }

  /** A block that is not in the index. */
  #absent(id: BlockId): HoldfastError {
    const op = 'storage/LocalVolumeStore.get';
    if (this.#damaged.has(id)) {
      const message = 'This part of the file was damaged on disk. Restore it from a copy.';
      return new HoldfastError('corrupt', op, message, { facts: { blockId: id } });
    }
    if (this.#lostUnnamed > 0) {
      // It may be one of those: "not found" would tell the caller that it never was.
      const message = 'This part of the file is gone, perhaps one of those damaged on disk.';
      return new HoldfastError('corrupt', op, message, { facts: { blockId: id } });
    }
    const message = 'There is no such block.';
    return new HoldfastError('not-found', op, message, { facts: { blockId: id } });
  }

  #checkOpen(method: string): void {
    if (this.#closing !== undefined) throw this.#closed(method);
  }

  #closed(method: string): HoldfastError {
    const op = `storage/LocalVolumeStore.${method}`;
    return new HoldfastError('unavailable', op, 'The server is stopping. Try again shortly.');
  }
}

function cut(bytes: Buffer, { offsetBytes, lengthBytes }: BlockRange): Buffer {
  return bytes.subarray(offsetBytes, offsetBytes + lengthBytes);
}

/** Gives up waiting, not the work, when the signal fires. */
function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
