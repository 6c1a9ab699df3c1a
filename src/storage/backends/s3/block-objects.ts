/** Blocks as objects: reading them checked, and judging whether an object is the block. */
import { hash } from 'node:crypto';
import { HoldfastError } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import type { Clock, Random } from '../../../platform/index.ts';
import { BLOCK_BYTES_MAX, type Block } from '../../block.ts';
import { checkRange, type BlockRange } from '../../block-range.ts';
import { SEGMENT_BYTES } from '../../block-store.ts';
import { readLabel, segmentsAreRight, writeLabel, type ServiceChecksum } from './block-label.ts';
import type { Dialect } from './dialect.ts';
import type { ObjectFinding, OnObjectFinding } from './object-findings.ts';
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
  putCheck: PutCheck;
  limits: ObjectLimits;
  clock: Clock;
  random: Random;
  onFinding: OnObjectFinding;
}

type Verdict = 'right' | 'wrong' | 'unknown';

/** So many damaged blocks are remembered; the count stops there. */
const DAMAGED_MAX = 100_000;
/** How often wrong bytes are asked for again: they may have changed on the way. */
const READS_MAX = 3;

export class BlockObjects {
  readonly #options: BlockObjectsOptions;
  readonly #damaged = new Set<BlockId>();

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

  /** Whether the block is there whole already: `absent`, or `other` when something else is. */
  async look(block: Block, call: Call): Promise<'right' | 'absent' | 'other'> {
    const facts = await this.#options.client.head(this.#keyOf(block.id), call);
    if (facts === undefined) return 'absent';
    const verdict = await this.#settle(block.id, facts, block.sizeBytes, call);
    return verdict === 'right' ? 'right' : 'other';
  }

  /** Writes the block until it is seen to be there whole.
   *  @throws unavailable: the service acknowledged it each time, and never had it. */
  async write(block: Block, call: Call): Promise<void> {
    const { client, checksum, limits, onFinding } = this.#options;
    const label = writeLabel(block, checksum);
    const { id, pieces, sizeBytes } = block;
    await retrying(this.#retry(limits.writesMax), call.signal, async () => {
      await client.put({ key: this.#keyOf(id), pieces, sizeBytes, sha256: id, label }, call);
      if (await this.#isKept(block, call)) return;
      onFinding({ kind: 'put-not-kept', blockId: id });
      throw new Passing(this.#notKept(id, call));
    });
    this.#damaged.delete(id);
  }

  /** The block's size, if its object is the block as far as the service can tell. */
  async find(id: BlockId, call: Call): Promise<{ sizeBytes: number } | undefined> {
    const { client, marker } = this.#options;
    const facts = await client.head(this.#keyOf(id), call);
    if (facts === undefined) {
      await marker.confirm(call);
      return undefined;
    }
    const { sizeBytes } = facts;
    const verdict = await this.#settle(id, facts, sizeBytes, call);
    if (verdict === 'right') return { sizeBytes };
    this.#noteDamaged(id);
    return undefined;
  }

  async get(id: BlockId, call: Call): Promise<Buffer> {
    const read = retrying(this.#retry(READS_MAX), call.signal, async () => {
      const found = await this.#options.client.get(this.#keyOf(id), undefined, call);
      if (found === 'absent' || found === 'outside') return this.#absent(id, call);
      if (hash('sha256', found.bytes) === id) return found.bytes;
      throw new Passing(this.#wrongBytes(id, call));
    });
    const bytes = await read.catch((error: unknown) => this.#blame(error, id, call));
    this.#damaged.delete(id);
    return bytes;
  }

  async read(id: BlockId, range: BlockRange, call: Call): Promise<Buffer> {
    const { op } = call;
    checkRange(op, BLOCK_BYTES_MAX, range);
    const { offsetBytes, lengthBytes } = range;
    const from = offsetBytes - (offsetBytes % SEGMENT_BYTES);
    const last = Math.ceil((offsetBytes + lengthBytes) / SEGMENT_BYTES) * SEGMENT_BYTES - 1;
    const found = await this.#options.client.get(this.#keyOf(id), { from, last }, call);
    if (found === 'absent') return this.#absent(id, call);
    const part = found === 'outside' ? undefined : this.#checkedPart(id, found);
    // No label, a damaged one, or wrong bytes: the whole block can be checked by its id.
    const { sizeBytes, bytes, offsetBytes: start } = part ?? whole(await this.get(id, call));
    checkRange(op, sizeBytes, range);
    return bytes.subarray(offsetBytes - start, offsetBytes - start + lengthBytes);
  }

  #checkedPart(id: BlockId, found: ObjectBytes): Omit<ObjectBytes, 'told' | 'label'> | undefined {
    const label = readLabel(id, found.label);
    if (label === undefined || label.sizeBytes !== found.sizeBytes) return undefined;
    return segmentsAreRight(label, found.bytes, found.offsetBytes) ? found : undefined;
  }

  async #isKept(block: Block, call: Call): Promise<boolean> {
    const { client, putCheck } = this.#options;
    if (putCheck === 'read') return this.#readBack(block.id, call);
    const facts = await client.head(this.#keyOf(block.id), call);
    if (facts === undefined) return false;
    return await this.#settle(block.id, facts, block.sizeBytes, call) === 'right';
  }

  /** Right or wrong; where the service's word is not enough, after reading the bytes. */
  async #settle(
    id: BlockId, facts: ObjectFacts, sizeBytes: number, call: Call,
  ): Promise<'right' | 'wrong'> {
    const verdict = this.#judge(id, facts, sizeBytes);
    if (verdict !== 'unknown') return verdict;
    return await this.#readBack(id, call) ? 'right' : 'wrong';
  }

  #judge(id: BlockId, facts: ObjectFacts, sizeBytes: number): Verdict {
    const { checksum, dialect } = this.#options;
    if (facts.sizeBytes !== sizeBytes) return 'wrong';
    if (facts.sizeBytes < 1 || facts.sizeBytes > BLOCK_BYTES_MAX) return 'wrong';
    if (checksum === 'none') return 'unknown';
    if (checksum === 'sha256' && facts.told.sha256 !== undefined) {
      return facts.told.sha256 === id ? 'right' : 'wrong';
    }
    const label = readLabel(id, facts.label);
    if (label !== undefined && label.sizeBytes !== facts.sizeBytes) return 'wrong';
    const told = label?.expected === undefined ? undefined : facts.told[label.expected.checksum];
    if (label?.expected === undefined || told === undefined) return 'unknown';
    if (told === label.expected.hex) return 'right';
    return dialect.refutes[label.expected.checksum] ? 'wrong' : 'unknown';
  }

  /** Whether what the service gives out is the block. Asks again, for the bytes may be fine. */
  async #readBack(id: BlockId, call: Call): Promise<boolean> {
    for (let count = 1; ; count++) {
      const found = await this.#options.client.get(this.#keyOf(id), undefined, call);
      if (found === 'absent' || found === 'outside') return false;
      if (hash('sha256', found.bytes) === id) return true;
      if (count >= READS_MAX) return false;
    }
  }

  /** Wrong bytes came again and again: from the store, or only on the way? */
  async #blame(error: unknown, id: BlockId, call: Call): Promise<never> {
    const wasWrong = error instanceof HoldfastError && error.kind === 'corrupt';
    if (!wasWrong) throw error;
    const { client, onFinding } = this.#options;
    const facts = await client.head(this.#keyOf(id), call);
    if (facts === undefined || this.#judge(id, facts, facts.sizeBytes) !== 'right') {
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

function whole(bytes: Buffer): Omit<ObjectBytes, 'told' | 'label'> {
  return { bytes, offsetBytes: 0, sizeBytes: bytes.length };
}
