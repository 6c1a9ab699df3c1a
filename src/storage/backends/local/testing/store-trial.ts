/** A store on a simulated disk, with a plain model of what it has promised. */
import assert from 'node:assert/strict';
import type { BlockId } from '../../../../base/ids.ts';
import type { Witness } from '../../../../base/witness.ts';
import { ManualClock } from '../../../../platform/index.ts';
import { Block } from '../../../block.ts';
import type { BlockSealer } from '../../../sealing/block-sealer.ts';
import type { VolumeFinding } from '../findings.ts';
import { LocalVolumeStore } from '../local-volume-store.ts';
import { nextTurn } from '../turn.ts';
import type { VolumeConfig } from '../volume-config.ts';
import { SeededRandom } from './random.ts';
import { SimulatedVolumeFiles } from './simulated-volume-files.ts';

export const TINY_VOLUMES: Partial<VolumeConfig> = {
  volumeBytesMax: 32 * 1024,
  volumeBlocksMax: 40,
  batchRecordsMax: 6,
  batchBytesMax: 16 * 1024,
  queueBytesMax: 1024 ** 2,
  openFilesMax: 2,
  reserveBytes: 0,
  recentBytesMax: 0,
  hintEveryBlocks: 5,
  hintEveryBytes: 8 * 1024,
  pageBytes: 512,
};

export class StoreTrial {
  readonly random: SeededRandom;
  readonly clock = new ManualClock(1_700_000_000_000);
  readonly findings: VolumeFinding[] = [];
  config: Partial<VolumeConfig> = TINY_VOLUMES;
  files: SimulatedVolumeFiles;
  /** Everything that was ever put, acknowledged or not. */
  readonly put = new Map<BlockId, Buffer>();
  readonly acknowledged = new Set<BlockId>();
  /** What a database would have kept: taken after an acknowledgement. */
  witness: Witness = [];
  isWitnessWhole = true;
  sealer: BlockSealer | undefined;
  #store: LocalVolumeStore | undefined;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.files = new SimulatedVolumeFiles(this.random);
  }

  get store(): LocalVolumeStore {
    assert.ok(this.#store);
    return this.#store;
  }

  async open(): Promise<void> {
    const { clock, config, files, witness, isWitnessWhole, sealer } = this;
    this.#store = await LocalVolumeStore.open({
      root: '/simulated', witness, isWitnessWhole, clock, config, files, sealer,
      onFinding: (finding) => this.findings.push(finding),
    });
  }

  block(sizeBytes: number): Block {
    const bytes = this.random.bytes(sizeBytes);
    // Users may store anything: here, what looks like records of this very format.
    if (sizeBytes > 300 && this.random.chance(0.3)) bytes.write('HFR1', 64, 'latin1');
    const block = Block.of([bytes]);
    this.put.set(block.id, bytes);
    return block;
  }

  /** Puts a block and keeps the books. Resolves also when the put is refused. */
  async tryPut(block: Block): Promise<void> {
    const { store } = this;
    try {
      await store.put(block);
    } catch {
      return; // Refused: nothing was promised.
    }
    this.acknowledged.add(block.id);
    if (this.random.chance(0.5)) this.noteWitness(store);
  }

  noteWitness(store: LocalVolumeStore): void {
    const marks = new Map(this.witness);
    for (const [id, end] of store.witness()) marks.set(id, end);
    this.witness = [...marks];
  }

  /** Some puts at once, some after each other. Comes back when all are settled or the disk has
   *  fallen silent. */
  async work(puts: number): Promise<void> {
    const all: Promise<void>[] = [];
    for (let count = 0; count < puts; count++) {
      const sizeBytes = 1 + this.random.below(this.random.chance(0.1) ? 20_000 : 900);
      all.push(this.tryPut(this.block(sizeBytes)));
      if (this.random.chance(0.3)) await nextTurn();
    }
    await this.settle(Promise.all(all));
  }

  /** Waits for `work`, but not for ever: false when the disk no longer answers. */
  async settle(work: Promise<unknown>): Promise<boolean> {
    let settled = false;
    const noted = work.finally(() => {
      settled = true;
    });
    let before = -1;
    for (let quiet = 0; quiet < 20 && !settled; ) {
      quiet = this.files.calls === before ? quiet + 1 : 0;
      before = this.files.calls;
      await nextTurn();
    }
    if (settled) await noted;
    return settled;
  }

  /** The program dies, the machine does not. */
  kill(): void {
    this.files = this.files.kill();
    this.#store = undefined;
  }

  /** The machine loses power. */
  crash(): void {
    this.files = this.files.crash();
    this.#store = undefined;
  }

  /** Everything acknowledged is there, and nothing is there that was never put. */
  async checkPromises(): Promise<void> {
    for (const id of this.acknowledged) {
      const bytes = await this.store.get(id);
      assert.ok(bytes.equals(this.put.get(id) as Buffer), `block ${id} came back changed`);
    }
    const listed: BlockId[] = [];
    for await (const id of this.store.list()) {
      const bytes = await this.store.get(id);
      assert.ok(bytes.equals(this.put.get(id) as Buffer), `block ${id} was never put like this`);
      listed.push(id);
      // Who puts it again is told at once that it is durable.
      this.acknowledged.add(id);
    }
    assert.equal(listed.length, this.store.state().blockCount);
  }
}
