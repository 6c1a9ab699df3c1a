/** A store on several simulated disks, with a plain model of what it has promised. */
import assert from 'node:assert/strict';
import type { BlockId } from '../../../base/ids.ts';
import type { Witness } from '../../../base/witness.ts';
import { ManualClock, SeededRandom as PlatformRandom } from '../../../platform/index.ts';
import type { VolumeFinding } from '../../backends/local/findings.ts';
import { LocalVolumeStore } from '../../backends/local/local-volume-store.ts';
import { SeededRandom } from '../../backends/local/testing/random.ts';
import {
  SimulatedVolumeFiles, type FaultPlan,
} from '../../backends/local/testing/simulated-volume-files.ts';
import { TINY_VOLUMES } from '../../backends/local/testing/store-trial.ts';
import { nextTurn } from '../../backends/local/turn.ts';
import type { VolumeConfig } from '../../backends/local/volume-config.ts';
import { Block } from '../../block.ts';
import type { CopyFinding } from '../copy-findings.ts';
import type { DiskRegister } from '../disk-register.ts';
import type { Disks } from '../disks.ts';
import { isOwnName } from '../file-names.ts';
import { openReplicatedFiles, type ReplicationLimits } from '../open-replicated-files.ts';
import { SWEEP_EVERY_MS, type RepairWorker } from '../repair-worker.ts';
import type { ReplacedCopies } from '../replaced-copies.ts';
import type { ReplicatedVolumeFiles } from '../replicated-volume-files.ts';
import type { ErasureSets } from '../sets/erasure-sets.ts';
import type { ErasurePolicy } from '../sets/set-parts.ts';
import type { DiskState, ReplicationPolicy } from '../volume-disk.ts';

export class TrialDisk {
  readonly id: string;
  readonly host: string;
  files: SimulatedVolumeFiles;
  state: DiskState = 'active';
  /** Nothing answers: as if unplugged. */
  away = false;
  plan: FaultPlan = () => undefined;

  constructor(id: string, host: string, random: SeededRandom) {
    this.id = id;
    this.host = host;
    this.files = new SimulatedVolumeFiles(random);
    this.wire();
  }

  wire(): void {
    this.files.plan = (call) => (this.away ? 'ENODEV' : this.plan(call));
  }

  get volumes(): string[] {
    return this.files.names().filter((name) => name.endsWith('.hv'));
  }
}

export interface TrialSetup {
  seed: number;
  disks: number;
  policy: ReplicationPolicy;
  config?: Partial<VolumeConfig>;
  limits?: Partial<ReplicationLimits>;
  erasure?: ErasurePolicy;
}

export class ReplicatedTrial {
  readonly random: SeededRandom;
  readonly clock = new ManualClock(1_700_000_000_000);
  readonly disks: TrialDisk[];
  readonly findings: VolumeFinding[] = [];
  readonly copyFindings: CopyFinding[] = [];
  readonly put = new Map<BlockId, Buffer>();
  readonly acknowledged = new Set<BlockId>();
  witness: Witness = [];
  isWitnessWhole = true;
  policy: ReplicationPolicy;
  erasure: ErasurePolicy | undefined;
  readonly #setup: TrialSetup;
  #store: LocalVolumeStore | undefined;
  #repair: RepairWorker | undefined;
  #sets: ErasureSets | undefined;
  #files: ReplicatedVolumeFiles | undefined;
  #replaced: ReplacedCopies | undefined;
  #administer: ((register: DiskRegister) => Disks) | undefined;

  constructor(setup: TrialSetup) {
    this.#setup = setup;
    this.policy = setup.policy;
    this.erasure = setup.erasure;
    this.random = new SeededRandom(setup.seed);
    this.disks = Array.from({ length: setup.disks }, (_, at) =>
      new TrialDisk(`d${at + 1}`, `h${at + 1}`, this.random));
  }

  get store(): LocalVolumeStore {
    assert.ok(this.#store);
    return this.#store;
  }

  get repair(): RepairWorker {
    assert.ok(this.#repair);
    return this.#repair;
  }

  get sets(): ErasureSets {
    assert.ok(this.#sets);
    return this.#sets;
  }

  get replaced(): ReplacedCopies {
    assert.ok(this.#replaced);
    return this.#replaced;
  }

  administer(register: DiskRegister): Disks {
    assert.ok(this.#administer);
    return this.#administer(register);
  }

  disk(at: number): TrialDisk {
    return this.disks[at] as TrialDisk;
  }

  async open(): Promise<void> {
    const { clock, witness, isWitnessWhole, policy } = this;
    const disks = this.disks.map(({ id, host, files, state }) => ({
      id, files, state, labels: { disk: id, host, rack: 'r', zone: 'z' },
    }));
    const replicated = await openReplicatedFiles({
      disks, policy, witness, isWitnessWhole, clock,
      limits: { roomBytes: 0, repairBytesPerSecond: Infinity, ...this.#setup.limits },
      onFinding: (finding) => this.copyFindings.push(finding),
      erasure: this.erasure, random: new PlatformRandom(this.#setup.seed),
    });
    this.#sets = replicated.sets;
    this.#repair = replicated.repair;
    this.#files = replicated.files;
    this.#replaced = replicated.replaced;
    this.#administer = replicated.administer;
    const config = { ...TINY_VOLUMES, ...this.#setup.config };
    const store = await LocalVolumeStore.open({
      root: '/simulated', witness, isWitnessWhole, clock, config, files: replicated.files,
      onFinding: (finding) => this.findings.push(finding),
    });
    this.#store = store;
    replicated.repair.endDegraded = () => store.endDegraded();
  }

  block(sizeBytes: number): Block {
    const bytes = this.random.bytes(sizeBytes);
    if (sizeBytes > 300 && this.random.chance(0.3)) bytes.write('HFR1', 64, 'latin1');
    const block = Block.of([bytes]);
    this.put.set(block.id, bytes);
    return block;
  }

  /** Puts a block and keeps the books. Resolves also when the put is refused. */
  async tryPut(block: Block): Promise<unknown> {
    const { store } = this;
    try {
      await store.put(block);
    } catch (error) {
      return error; // Refused: nothing was promised.
    }
    this.acknowledged.add(block.id);
    if (this.random.chance(0.5)) this.noteWitness(store);
    return undefined;
  }

  noteWitness(store: LocalVolumeStore = this.store): void {
    const marks = new Map(this.witness);
    for (const [id, end] of store.witness()) marks.set(id, end);
    this.witness = [...marks];
  }

  /** Some puts at once, some after each other; time passes when nothing else does. */
  async work(puts: number): Promise<boolean> {
    const all: Promise<unknown>[] = [];
    for (let count = 0; count < puts; count++) {
      const sizeBytes = 1 + this.random.below(this.random.chance(0.1) ? 20_000 : 900);
      all.push(this.tryPut(this.block(sizeBytes)));
      if (this.random.chance(0.3)) await nextTurn();
    }
    return this.settle(Promise.all(all));
  }

  /** Waits for `work`; lets deadlines pass when all is quiet. False: it will never end. */
  async settle(work: Promise<unknown>, patience = 12): Promise<boolean> {
    let settled = false;
    const noted = work.finally(() => {
      settled = true;
    });
    noted.catch(() => undefined);
    let before = -1;
    let waits = 0;
    for (let quiet = 0; !settled; ) {
      const calls = this.disks.reduce((sum, { files }) => sum + files.calls, 0);
      quiet = calls === before ? quiet + 1 : 0;
      before = calls;
      if (quiet > 20) {
        if (++waits > patience) return false;
        this.clock.advance(1000);
        quiet = 0;
      }
      await nextTurn();
    }
    await noted;
    return true;
  }

  /** As a scrubber reports it that has found the copy to be other than the others. */
  noteDamage(disk: TrialDisk, name: string): void {
    const others = this.disks.filter((other) => other !== disk && other.volumes.includes(name));
    const mine = disk.files.content(name);
    const sizes = others.map(({ files }) => files.content(name));
    if (sizes.length === 0 || sizes.some((bytes) => bytes.equals(mine))) return;
    this.#files?.reportDamage({ volumeId: Number(name.slice(1, 9)), diskId: disk.id });
  }

  async sweep(times = 1): Promise<void> {
    for (let sweep = 0; sweep < times; sweep++) {
      this.clock.advance(SWEEP_EVERY_MS);
      assert.ok(await this.settle(this.repair.sweep(), 100), 'a sweep never ends');
    }
  }

  /** All machines lose power, or the program is killed. */
  restart(how: 'crash' | 'kill'): void {
    for (const disk of this.disks) {
      disk.files = how === 'crash' ? disk.files.crash() : disk.files.kill();
      disk.plan = () => undefined;
      disk.wire();
    }
    this.#store = undefined;
    this.#repair = undefined;
  }

  /** Everything acknowledged is there, and nothing is there that was never put. */
  async checkPromises(): Promise<void> {
    for (const id of this.acknowledged) {
      const bytes = await this.store.get(id);
      assert.ok(bytes.equals(this.put.get(id) as Buffer), `block ${id} came back changed`);
    }
    for await (const id of this.store.list()) {
      const bytes = await this.store.get(id);
      assert.ok(bytes.equals(this.put.get(id) as Buffer), `block ${id} was never put like this`);
      this.acknowledged.add(id);
    }
  }

  /** Every volume that is not being written has the same bytes on as many disks as it should. */
  checkFullCopies(copies = this.policy.copies): void {
    const names = new Set(this.disks.flatMap(({ away, volumes }) => (away ? [] : volumes)));
    for (const name of names) {
      const holders = this.disks.filter((disk) => !disk.away && disk.state !== 'draining'
        && disk.state !== 'retired' && disk.volumes.includes(name));
      const contents = holders.map(({ files }) => files.content(name));
      const longest = contents.reduce((a, b) => (a.length >= b.length ? a : b), Buffer.alloc(0));
      const same = contents.filter((bytes) => isSame(bytes, longest));
      // What is left over of a volume that is still being written is let go when it is sealed.
      const ids = holders.map(({ id }) => id).join();
      if (isSealed(longest)) assert.equal(holders.length, copies, `${name} is on ${ids}`);
      assert.ok(same.length >= copies, `${name} differs on ${ids}`);
      assert.equal(new Set(holders.map(({ host }) => host)).size, holders.length);
    }
    for (const { files, away } of this.disks) {
      const left = away ? [] : files.names().filter((name) => /\.copying/.test(name));
      assert.deepEqual(left, [], 'a draft was left');
    }
    assert.equal(this.repair.status().volumesWaiting, 0);
  }

  /** What happened, in a form in which two runs can be compared. */
  trace(): string {
    const files = this.disks.map(({ files: disk }) => disk.names().filter((name) =>
      !isOwnName(name)).join(','));
    const kinds = this.copyFindings.map(({ kind, volumeId, diskId }) =>
      `${kind} ${volumeId} ${diskId}`);
    return [...files, ...kinds, this.acknowledged.size, this.findings.length].join('\n');
  }
}

/** Volumes without a footer may end in more or fewer zeros, or in what was never acknowledged. */
function isSame(one: Buffer, other: Buffer): boolean {
  if (isSealed(one) || isSealed(other)) return one.equals(other);
  const length = Math.min(one.length, other.length);
  return one.subarray(0, length).equals(other.subarray(0, length));
}

function isSealed(bytes: Buffer): boolean {
  return bytes.subarray(-4096).subarray(0, 8).equals(Buffer.from('HFSEAL01'));
}
