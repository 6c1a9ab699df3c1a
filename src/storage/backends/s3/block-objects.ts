/** Blocks as objects: reading them checked, and judging whether an object is the block. */
import { hash } from 'node:crypto';
import { HoldfastError } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import type { Clock, Random } from '../../../platform/index.ts';
import type { Block } from '../../block.ts';
import { BLOCK_BYTES_MAX } from '../../block.ts';
import { checkRange, type BlockRange } from '../../block-range.ts';
import { SEGMENT_BYTES } from '../../block-store.ts';
import { isKeyFault, type BlockSealer } from '../../sealing/block-sealer.ts';
import { UnpackedBlocks } from '../../sealing/unpacked-blocks.ts';
import { readLabel, segmentsAreRight, writeLabel, type ServiceChecksum } from './block-label.ts';
import type { Dialect } from './dialect.ts';
import { blockBytesOf, bodyOf, readBody, type FoundBody, type ObjectBody } from './object-body.ts';
import type { ObjectFinding, OnObjectFinding } from './object-findings.ts';
import { judge, type Judgement } from './object-judgement.ts';
import { Passing, retrying, type RetryOptions } from './retrying.ts';
import type { ObjectClient } from './object-client.ts';
import type { Call, ObjectBytes, ObjectFacts } from './s3-client.ts';
import type { ObjectLimits, PutCheck } from './s3-options.ts';
import type { StoreMarker } from './store-marker.ts';

export interface BlockObjectsOptions {
  client: ObjectClient;
  marker: StoreMarker;
  dialect: Dialect;
  /** Before every block's id. */
  folder: string;
  /** What the service tells about its objects. */
  checksum: ServiceChecksum;
  sealer: BlockSealer;
  putCheck: PutCheck;
  limits: ObjectLimits;
  clock: Clock;
  random: Random;
  onFinding: OnObjectFinding;
}

/** So many damaged blocks are remembered; the count stops there. */
const DAMAGED_MAX = 100_000;
/** How often wrong bytes are asked for again: they may have changed on the way. */
const READS_MAX = 3;
const WRONG: Judgement = { verdict: 'wrong', blockBytes: 0, keyId: 0 };

export class BlockObjects {
  readonly #options: BlockObjectsOptions;
  readonly #damaged = new Set<BlockId>();
  readonly #unpacked = new UnpackedBlocks();

  constructor(options: BlockObjectsOptions) {
    this.#options = options;
  }

  /** Blocks whose objects were found to be something else. */
  get damagedCount(): number {
    return this.#damaged.size;
  }

  /** Before every block's id. */
  get folder(): string {
    return this.#options.folder;
  }

  /** Whether the block is there whole already: `absent`, or `other` when something else is, or
   *  nobody can open it. */
  async look({ id, sizeBytes }: Block, call: Call): Promise<'right' | 'absent' | 'other'> {
    const facts = await this.#options.client.head(this.#keyOf(id), call);
    if (facts === undefined) return 'absent';
    const { verdict, blockBytes, keyId } = await this.#settle(id, facts, call);
    const isRight = verdict === 'right' && blockBytes === sizeBytes;
    return isRight && !this.#options.sealer.isLocked(keyId) ? 'right' : 'other';
  }

  /** Writes the block until it is seen to be there whole.
   *  @throws unavailable: the service acknowledged it each time, and never had it; and as
   *    BlockSealer.pack. */
  async write(block: Block, call: Call): Promise<void> {
    await this.writeBody(await bodyOf(block, this.#options.sealer), call);
  }

  /** The same of what is sealed, or not, already. */
  async writeBody(body: ObjectBody, call: Call): Promise<void> {
    const { client, checksum, limits, onFinding } = this.#options;
    const { id, pieces, sizeBytes, sha256 } = body;
    const label = writeLabel(body, checksum);
    await retrying(this.#retry(limits.writesMax), call.signal, async () => {
      await client.put({ key: this.#keyOf(id), pieces, sizeBytes, sha256, label }, call);
      if (await this.#isKept(body, label, call)) return;
      onFinding({ kind: 'put-not-kept', blockId: id });
      throw new Passing(this.#notKept(id, call));
    });
    this.#damaged.delete(id);
  }

  /** The block's size, if its object is the block as far as the service can tell. */
  async find(id: BlockId, call: Call): Promise<{ sizeBytes: number } | undefined> {
    const { client, marker, sealer } = this.#options;
    const facts = await client.head(this.#keyOf(id), call);
    if (facts === undefined) {
      await marker.confirm(call);
      return undefined;
    }
    const { verdict, blockBytes, keyId } = await this.#settle(id, facts, call);
    if (verdict === 'right') {
      return sealer.isShredded(keyId) ? undefined : { sizeBytes: blockBytes };
    }
    this.#noteDamaged(id);
    return undefined;
  }

  /** @throws unavailable, code `key-missing`; not-found, code `shredded`. */
  async get(id: BlockId, call: Call): Promise<Buffer> {
    const { bytes } = await this.#reading(id, call, async (body) => {
      const unpacked = await this.#unpack(body);
      return unpacked === undefined ? undefined : { bytes: unpacked };
    });
    return bytes;
  }

  /** The object as it is. Checked as far as the keys allow: without one by its checksums. */
  async getBody(id: BlockId, call: Call): Promise<FoundBody> {
    return this.#reading(id, call, async (body) => await this.#isBlock(body) ? body : undefined);
  }

  async read(id: BlockId, range: BlockRange, call: Call): Promise<Buffer> {
    checkRange(call.op, BLOCK_BYTES_MAX, range);
    const { offsetBytes, lengthBytes } = range;
    // No label, a damaged one, wrong bytes, a sealed block: the whole one is checked by its id.
    const { sizeBytes, bytes, offsetBytes: start } = await this.#readPart(id, range, call)
      ?? whole(await this.#getOften(id, call));
    checkRange(call.op, sizeBytes, range);
    return bytes.subarray(offsetBytes - start, offsetBytes - start + lengthBytes);
  }

  /** What `take` makes of the object; asks again while that is undefined. */
  async #reading<T>(
    id: BlockId, call: Call, take: (body: FoundBody) => Promise<T | undefined>,
  ): Promise<T> {
    const read = retrying(this.#retry(READS_MAX), call.signal, async () => {
      const found = await this.#options.client.get(this.#keyOf(id), undefined, call);
      if (found === 'absent' || found === 'outside') return this.#absent(id, call);
      const body = readBody(id, found.bytes);
      const taken = body === undefined ? undefined : await take(body);
      if (taken !== undefined) return taken;
      throw new Passing(this.#wrongBytes(id, call));
    });
    const taken = await read.catch((error: unknown) => this.#blame(error, id, call));
    this.#damaged.delete(id);
    return taken;
  }

  async #unpack({ bytes, record }: FoundBody): Promise<Buffer | undefined> {
    return record === undefined ? bytes : this.#options.sealer.unpack(record);
  }

  async #isBlock(body: FoundBody): Promise<boolean> {
    try {
      return await this.#unpack(body) !== undefined;
    } catch (error) {
      if (isKeyFault(error)) return true;
      throw error;
    }
  }

  /** Undefined: the block has to be read whole. */
  async #readPart(
    id: BlockId, { offsetBytes, lengthBytes }: BlockRange, call: Call,
  ): Promise<Part | undefined> {
    if (this.#options.sealer.packs) return undefined;
    const from = offsetBytes - (offsetBytes % SEGMENT_BYTES);
    const last = Math.ceil((offsetBytes + lengthBytes) / SEGMENT_BYTES) * SEGMENT_BYTES - 1;
    const found = await this.#options.client.get(this.#keyOf(id), { from, last }, call);
    if (found === 'absent') return this.#absent(id, call);
    if (found === 'outside') return undefined;
    const label = readLabel(id, found.label);
    if (label?.sizeBytes !== found.sizeBytes || label.sealed !== undefined) return undefined;
    return segmentsAreRight(label, found.bytes, found.offsetBytes) ? found : undefined;
  }

  /** Who streams a sealed block asks for one part after the other. */
  async #getOften(id: BlockId, call: Call): Promise<Buffer> {
    const known = this.#unpacked.find(id);
    if (known !== undefined) return known;
    const bytes = await this.get(id, call);
    if (this.#options.sealer.packs) this.#unpacked.add(id, bytes);
    return bytes;
  }

  async #isKept(body: ObjectBody, label: string, call: Call): Promise<boolean> {
    const { client, putCheck } = this.#options;
    const { id, sha256, sizeBytes } = body;
    if (putCheck === 'head') {
      const facts = await client.head(this.#keyOf(id), call);
      if (facts?.sizeBytes !== sizeBytes) return false;
      // Another label is that of what was there before: a sealed block is other bytes each time.
      if (facts.label !== undefined && facts.label !== label && body.sealed) return false;
      const { verdict } = this.#judge(id, facts);
      if (verdict !== 'unknown') return verdict === 'right';
    }
    const found = await this.#readBack(id, (bytes) => hash('sha256', bytes) === sha256, call);
    return found !== undefined;
  }

  /** Right or wrong; where the service's word is not enough, after reading the bytes. */
  async #settle(id: BlockId, facts: ObjectFacts, call: Call): Promise<Judgement> {
    const judgement = this.#judge(id, facts);
    if (judgement.verdict !== 'unknown') return judgement;
    const bytes = await this.#readBack(id, async (some) => {
      const body = readBody(id, some);
      return body !== undefined && await this.#isBlock(body);
    }, call);
    const body = bytes && readBody(id, bytes);
    if (body === undefined) return WRONG;
    const keyId = body.sealed?.keyId ?? 0;
    return { verdict: 'right', blockBytes: blockBytesOf(body), keyId };
  }

  #judge(id: BlockId, facts: ObjectFacts): Judgement {
    const { checksum, dialect, marker } = this.#options;
    return judge(id, facts, { checksum, refutes: dialect.refutes, maySeal: marker.maySeal });
  }

  /** What the service gives out, if it is right. Asks again, for the bytes may be fine. */
  async #readBack(
    id: BlockId, isRight: (bytes: Buffer) => boolean | Promise<boolean>, call: Call,
  ): Promise<Buffer | undefined> {
    for (let count = 1; ; count++) {
      const found = await this.#options.client.get(this.#keyOf(id), undefined, call);
      if (found === 'absent' || found === 'outside') return undefined;
      if (await isRight(found.bytes)) return found.bytes;
      if (count >= READS_MAX) return undefined;
    }
  }

  /** Wrong bytes came again and again: from the store, or only on the way? */
  async #blame(error: unknown, id: BlockId, call: Call): Promise<never> {
    const wasWrong = error instanceof HoldfastError && error.kind === 'corrupt';
    if (!wasWrong) throw error;
    const { client, onFinding } = this.#options;
    const facts = await client.head(this.#keyOf(id), call);
    if (facts === undefined || this.#judge(id, facts).verdict !== 'right') {
      this.#noteDamaged(id);
      throw error;
    }
    onFinding({ kind: 'damaged-on-the-way', blockId: id });
    const message = 'The block arrives damaged, though the object store says that it is whole. '
      + 'Look for a proxy or a network that changes bytes.';
    const options = { code: 'damaged-on-the-way', facts: { blockId: id }, cause: error };
    throw new HoldfastError('unavailable', call.op, message, options);
  }

  async #absent(id: BlockId, call: Call): Promise<never> {
    await this.#options.marker.confirm(call);
    const facts = { blockId: id };
    throw new HoldfastError('not-found', call.op, 'There is no such block.', { facts });
  }

  #noteDamaged(id: BlockId): void {
    const finding: ObjectFinding = { kind: 'damaged-block', blockId: id };
    if (!this.#damaged.has(id)) this.#options.onFinding(finding);
    if (this.#damaged.size < DAMAGED_MAX) this.#damaged.add(id);
  }

  #wrongBytes(id: BlockId, call: Call): HoldfastError {
    const message = 'This part of the file was damaged in the object store. Restore it from a '
      + 'copy.';
    return new HoldfastError('corrupt', call.op, message, { facts: { blockId: id } });
  }

  #notKept(id: BlockId, call: Call): HoldfastError {
    const message = 'The object store acknowledged a block and did not have it whole afterwards. '
      + 'The upload was refused; look at the object store before you trust it.';
    const options = { code: 'put-not-kept', facts: { blockId: id } };
    return new HoldfastError('unavailable', call.op, message, options);
  }

  #retry(attemptsMax: number): RetryOptions {
    const { limits, clock, random } = this.#options;
    return { ...limits, attemptsMax, clock, random };
  }

  #keyOf(id: BlockId): string {
    return this.folder + id;
  }
}

type Part = Pick<ObjectBytes, 'bytes' | 'offsetBytes' | 'sizeBytes'>;

function whole(bytes: Buffer): Part {
  return { bytes, offsetBytes: 0, sizeBytes: bytes.length };
}
