/** Uploads, a collector and a disk that loses power, with a plain model of what must be there. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { HoldfastError } from '../../../src/base/errors.ts';
import type { BlockId } from '../../../src/base/ids.ts';
import type { Witness } from '../../../src/base/witness.ts';
import { bodyOf, ContentStore } from '../../../src/files/index.ts';
import { MemoryMetadataStore } from '../../../src/metadata/stores/memory/memory-metadata-store.ts';
import { ManualClock, type Clock } from '../../../src/platform/index.ts';
import { LocalVolumeStore } from '../../../src/storage/backends/local/local-volume-store.ts';
import { SeededRandom } from '../../../src/storage/backends/local/testing/random.ts';
import { SimulatedVolumeFiles }
  from '../../../src/storage/backends/local/testing/simulated-volume-files.ts';
import { TINY_VOLUMES } from '../../../src/storage/backends/local/testing/store-trial.ts';
import {
  GarbageCollector, readLedger, VolumeLedger, type CollectorLimits, type CollectorParts,
  type CollectorReport, type CollectorTrouble, type LedgerEntry,
} from '../../../src/durability/index.ts';
import { SqliteGcStore } from '../../../src/durability/gc/stores/sqlite/sqlite-gc-store.ts';
import { PaperMetadata } from './paper-metadata.ts';

export const HOUR_MS = 60 * 60 * 1000;
export const DAY_MS = 24 * HOUR_MS;
/** Few contents, so that most uploads bring blocks that are there already. */
const CONTENTS = 40;
const NAMES = 30;
const DAWDLE_TURNS = 400;
/** When the disk has not been asked for anything for so long, it will not be. */
const QUIET_TURNS = 2 * DAWDLE_TURNS;

export interface WorldOptions {
  seed: number;
  ledgerPath: string;
  /** To see that the model notices: uploads claim nothing. */
  withoutClaims?: boolean;
  limits?: Partial<CollectorLimits>;
  /** Room on the disk that users never get. */
  reserveBytes?: number;
}

interface Life {
  store: LocalVolumeStore;
  content: ContentStore;
  collector: GarbageCollector;
  ledger: VolumeLedger;
  paper: PaperMetadata;
  /** The process was killed: nothing that it still tries has an effect. */
  isOver: boolean;
}

export class GcWorld {
  readonly random: SeededRandom;
  readonly clock = new ManualClock(1_700_000_000_000);
  readonly notes = SqliteGcStore.open(':memory:');
  readonly troubles: CollectorTrouble[] = [];
  readonly options: WorldOptions;
  disk: SimulatedVolumeFiles;
  /** What is committed, and survives everything. */
  paper = new PaperMetadata();
  reports: CollectorReport[] = [];
  #life: Life | undefined;
  #parts: { parts: CollectorParts; opened: ConstructorParameters<typeof GarbageCollector>[1] }
    | undefined;
  #witness = new Map<number, number>();
  readonly #contents: Buffer[];

  constructor(options: WorldOptions) {
    this.options = options;
    this.random = new SeededRandom(options.seed);
    this.disk = new SimulatedVolumeFiles(this.random);
    this.#contents = Array.from({ length: CONTENTS }, () =>
      this.random.bytes(1 + this.random.below(this.random.chance(0.1) ? 9_000 : 900)));
  }

  get life(): Life {
    assert.ok(this.#life);
    return this.#life;
  }

  async open(): Promise<void> {
    const { clock, disk, paper } = this;
    const self: { life?: Life } = {};
    const notes = mortal(this.notes, () => self.life?.isOver ?? false);
    const witness: Witness = [...this.#witness];
    const store = await LocalVolumeStore.open({
      root: '/simulated', witness, clock, files: disk,
      config: {
        ...TINY_VOLUMES, volumeBytesMax: 12 * 1024, reserveBytes: this.options.reserveBytes ?? 0,
      },
      onFinding: () => undefined,
    });
    const idle = { claim: () => ({ add: () => true, hold: () => true, release: () => undefined }) };
    const content = new ContentStore({
      blocks: store, metadata: new MemoryMetadataStore(), witness: () => store.witness(),
      claims: this.options.withoutClaims === true ? idle : store.reclaim,
    });
    const opened = await VolumeLedger.open(this.options.ledgerPath, notes);
    const parts: CollectorParts = {
      metadata: paper, blocks: store, reclaim: store.reclaim, volumes: store.keeper, notes, clock,
      onTrouble: (trouble) => {
        if (self.life?.isOver === false) this.troubles.push(trouble);
      },
      limits: {
        smallBytes: 0, garbageShare: 0.05, condemnedShareMax: 1, condemnedFreeBytes: 0,
        ...this.options.limits,
      },
    };
    this.#parts = { parts, opened };
    const collector = new GarbageCollector(parts, opened);
    self.life = { store, content, collector, ledger: opened.ledger, paper, isOver: false };
    this.#life = self.life;
  }

  /** Another collector of the same world, whose volumes have copies that repair has replaced. */
  collectorWith(replaced: NonNullable<CollectorParts['replaced']>): GarbageCollector {
    assert.ok(this.#parts);
    const { parts, opened } = this.#parts;
    return new GarbageCollector({ ...parts, replaced }, opened);
  }

  /** Another collector of the same world, whose clock can be set. */
  jumpingCollector(): { collector: GarbageCollector; offsetMs: number } {
    assert.ok(this.#parts);
    const { clock } = this;
    const set = { offsetMs: 0 };
    const jumping: Clock = {
      now: () => clock.now() + set.offsetMs,
      monotonic: () => clock.monotonic(),
      after: (delayMs, act) => clock.after(delayMs, act),
    };
    const { parts, opened } = this.#parts;
    return Object.assign(set, {
      collector: new GarbageCollector({ ...parts, clock: jumping }, opened),
    });
  }

  /** The process dies; with `power` the machine does too. Nothing that was under way goes on. */
  async die(power: boolean): Promise<void> {
    this.paper = this.paper.successor();
    this.disk = power ? this.disk.crash() : this.disk.kill();
    this.life.isOver = true;
    await this.life.ledger.close();
    this.#life = undefined;
  }

  /** Something that users do. Resolves when it is settled; refusals are fine. */
  async act(): Promise<void> {
    const { random } = this;
    const name = `file ${random.below(NAMES)}`;
    const upload = `upload ${random.below(4)}`;
    const deed = random.below(10);
    try {
      if (deed < 4) await this.#upload(name);
      else if (deed < 6) await this.#putPart(upload);
      else if (deed < 7) await this.#join(upload, name);
      else if (deed < 8 && random.chance(0.2)) this.paper.dropUpload(upload);
      else this.paper.purge(name);
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
    }
  }

  async #upload(name: string): Promise<void> {
    const { content, paper } = this.life;
    const number = this.random.below(CONTENTS);
    await content.claimed(async (claim) => {
      const received = await content.receive(this.#body(number), { claim });
      await this.#dawdle();
      if (this.random.chance(0.1)) throw new HoldfastError('invalid', 'test', 'gives up');
      await paper.commitFile(name, { manifest: received.manifest, numbers: [number] });
      this.#noteWitness(content.witness());
    });
  }

  async #putPart(upload: string): Promise<void> {
    const { content, paper } = this.life;
    const number = this.random.below(CONTENTS);
    await content.claimed(async (claim) => {
      const received = await content.receive(this.#body(number), { claim });
      await this.#dawdle();
      const part = { manifest: received.manifest, numbers: [number] };
      await paper.commitPart(upload, this.random.below(3), part);
    });
  }

  async #join(upload: string, name: string): Promise<void> {
    const { content, paper } = this.life;
    await content.claimed(async (claim) => {
      const parts = paper.partsOf(upload);
      if (parts.length === 0) return;
      const { manifest } = await content.join(parts, claim);
      await this.#dawdle();
      const numbers = parts.flatMap((part) => part.numbers);
      await paper.commitJoined(upload, name, { manifest, numbers });
    });
  }

  #body(number: number): ReturnType<typeof bodyOf> {
    return bodyOf(this.#contents[number] as Buffer);
  }

  async #dawdle(): Promise<void> {
    // Some take longer than a census.
    const turnsMax = this.random.chance(0.4) ? DAWDLE_TURNS : 20;
    for (let turns = this.random.below(turnsMax); turns > 0; turns--) await nextTurn();
  }

  #noteWitness(witness: Witness): void {
    for (const [id, end] of witness) this.#witness.set(id, end);
  }

  /** One run of the collector, with all that it may refuse. */
  async collect(): Promise<void> {
    try {
      this.reports.push(await this.life.collector.run());
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
    }
  }

  /** Waits for `work`, but not for ever: false when the disk no longer answers. */
  async settle(work: Promise<unknown>): Promise<boolean> {
    let settled = false;
    const noted = work.finally(() => {
      settled = true;
    });
    let before = -1;
    for (let quiet = 0; quiet < QUIET_TURNS && !settled;) {
      quiet = this.disk.calls === before ? quiet + 1 : 0;
      before = this.disk.calls;
      await nextTurn();
    }
    if (settled) await noted;
    return settled;
  }

  /** G1: everything that is referred to is readable, and is what was uploaded. */
  async checkReadable(): Promise<void> {
    const { store, content } = this.life;
    for (const { manifest, numbers } of this.paper.all()) {
      const pieces: Buffer[] = [];
      for (const { id } of await content.blocksOf(manifest)) pieces.push(await store.get(id));
      const wanted = Buffer.concat(numbers.map((number) => this.#contents[number] as Buffer));
      assert.ok(Buffer.concat(pieces).equals(wanted), 'content came back changed');
    }
  }

  /** Blocks in the store that nothing refers to. */
  async garbage(): Promise<BlockId[]> {
    const { store, content } = this.life;
    const needed = new Set<BlockId>();
    for (const { manifest } of this.paper.all()) {
      for (const { id } of await content.blocksOf(manifest)) needed.add(id);
    }
    const garbage: BlockId[] = [];
    for await (const id of store.list()) if (!needed.has(id)) garbage.push(id);
    return garbage;
  }

  /** G2 and G3, by the ledger. */
  async checkLedger(): Promise<LedgerEntry[]> {
    const { entries } = await readLedger(this.options.ledgerPath, this.notes.findLedgerHead());
    const bySeq = new Map(entries.map((entry) => [entry.seq, entry]));
    for (const entry of entries) {
      if (entry.act === 'trash') {
        assert.equal(entry.records, entry.moved + entry.elsewhere + entry.dropped);
      } else if (entry.act === 'inspect') {
        assert.equal(entry.records, entry.elsewhere + entry.dead + entry.rescued);
        assert.equal(entry.rescued, 0, 'something was dropped that was needed');
      } else if (entry.act === 'unlink') {
        const [first, last] = entry.inspections.map((seq) => bySeq.get(seq));
        assert.ok(first?.act === 'inspect' && first.volume === entry.volume);
        assert.ok(last?.act === 'inspect' && last.volume === entry.volume);
        assert.ok(last.at >= first.at + DAY_MS);
        const since = entries.findLast((one) => one.volume === entry.volume
          && one.seq < first.seq && (one.act === 'trash' || one.act === 'found'));
        assert.ok(since !== undefined && first.at >= since.at + 14 * DAY_MS);
      }
    }
    return entries;
  }

  async end(): Promise<void> {
    if (this.#life !== undefined) {
      await this.#life.store.close();
      await this.#life.ledger.close();
    }
    this.notes.close();
    await rm(this.options.ledgerPath, { force: true });
  }
}


/** The same notes, that refuse once `isOver`. */
function mortal(notes: SqliteGcStore, isOver: () => boolean): SqliteGcStore {
  return new Proxy(notes, {
    get(target, name) {
      if (isOver()) throw new HoldfastError('unavailable', 'test', 'This process is dead.');
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
}
