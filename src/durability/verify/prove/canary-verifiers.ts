/** All verifiers over one canary, as a server would set them up. */
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../../base/errors.ts';
import type { MetadataStore } from '../../../metadata/index.ts';
import { silentLog } from '../../../platform/index.ts';
import type { ManualClock } from '../../../platform/index.ts';
import { EagerBudget } from '../budget.ts';
import { DiskScrubber } from '../disk-scrubber.ts';
import { ExtentReferee } from '../extent-referee.ts';
import { FindingDesk } from '../finding-desk.ts';
import type { Finding } from '../finding.ts';
import type { ManifestSource, Soon } from '../manifest-source.ts';
import { readManifest } from '../manifest-format.ts';
import { JournalAuditor } from '../journal-auditor.ts';
import type { JournalSource } from '../journal-source.ts';
import { ledgerFile } from '../ledger.ts';
import { MetadataScan } from '../metadata-scan.ts';
import { Reconciler } from '../reconciler.ts';
import type { OrphanBlock } from '../reconciler.ts';
import { ReplicaComparison } from '../replica-comparison.ts';
import { TrashInspector } from '../trash-inspector.ts';
import { volumeInventory } from '../volume-inventory.ts';
import type { Verifier } from '../verifier.ts';
import type { VerifyStore } from '../verify-store.ts';
import type { VerifiedDisk } from '../volume/volume-folder.ts';
import { WriteRereader } from '../write-rereader.ts';
import type { ReadBack } from '../write-rereader.ts';
import type { CanaryBackends, CanaryBlocks } from './canary-backends.ts';
import { pathsIn, readAsUser, samplesOf } from './canary.ts';
import type { Canary } from './canary.ts';

const HOUR_MS = 60 * 60 * 1000;
/** Items and bytes alike: others get their turn often enough. */
const AMOUNT_PER_TURN = 64 * 1024;

export interface CanarySetting {
  canary: Canary;
  backends: CanaryBackends;
  clock: ManualClock;
  /** Blocks that something else than files needs. */
  holds: ReadonlySet<string>;
  /** What becomes of the disks before the verifiers see them. */
  wrapDisk: (disk: VerifiedDisk) => VerifiedDisk;
}

export interface CanaryRun {
  open: Finding[];
  proposed: OrphanBlock[];
  /** Verifiers that had nothing to do. */
  idle: string[];
}

/** Runs everything twice, so far apart that two passes may agree, and answers what is open then. */
export async function verifyCanary(setting: CanarySetting): Promise<CanaryRun> {
  const { canary, backends, clock } = setting;
  const paths = pathsIn(canary.directory);
  const notes = backends.openNotes(paths.notes);
  const source = backends.metadata.openSource(paths.metadata);
  const journal = backends.metadata.openJournal(paths.metadata);
  const reading = new CanaryReading(canary, backends);
  const proposed: OrphanBlock[] = [];
  try {
    notes.addSamples(samplesOf(canary));
    const verifiers = verifiersOf(setting, { notes, source, journal, reading, proposed });
    const idle: string[] = [];
    for (let round = 1; round <= 2; round++) {
      // Later than every time noted before, also after the notes were copied.
      clock.advance(2 * HOUR_MS);
      idle.length = 0;
      for (const verifier of verifiers) {
        const budget = new EagerBudget(AMOUNT_PER_TURN);
        const { signal } = new AbortController();
        const { result } = await verifier.run(budget, signal, { everything: true });
        if (result === 'nothing-to-do') idle.push(verifier.id);
      }
    }
    return { open: notes.listFindings({ state: 'open', limit: 1_000 }), proposed, idle };
  } finally {
    await reading.close();
    await source.close();
    await journal.close();
    notes.close();
  }
}

function verifiersOf(
  setting: CanarySetting,
  made: {
    notes: VerifyStore; source: ManifestSource; journal: JournalSource; reading: CanaryReading;
    proposed: OrphanBlock[];
  },
): Verifier[] {
  const { canary, backends, clock, holds, wrapDisk } = setting;
  const { notes: store, source, journal, reading, proposed } = made;
  const paths = pathsIn(canary.directory);
  const disks: VerifiedDisk[] = [
    wrapDisk({ id: 'disk-a', files: backends.openFolder(paths.diskA) }),
    wrapDisk({ id: 'disk-b', files: backends.openFolder(paths.diskB) }),
  ];
  const desk = new FindingDesk({ store, clock, log: silentLog });
  const common = { disks: () => disks, store, desk, clock };
  const marks = (): Soon<ReadonlyMap<number, number>> => source.marks();
  return [
    new DiskScrubber({ ...common, marks, hashEvery: 1, confirmAfterMs: 0 }),
    new MetadataScan({ ...common, source, entriesMax: 8 }),
    new ReplicaComparison({
      ...common, marks,
      placement: (name) => (canary.volumeNames.includes(name) ? ['disk-a', 'disk-b'] : undefined),
    }),
    new TrashInspector({
      ...common,
      references: (ids) => neededOf(ids, source, holds),
    }),
    new ExtentReferee({ ...common, marks, ledger: ledgerFile(paths.ledger) }),
    new WriteRereader({ store, desk, clock, read: (address) => reading.read(address) }),
    new JournalAuditor({ store, desk, clock, source: journal }),
    new Reconciler({
      store, desk, clock, source, orphanAfterMs: HOUR_MS, entriesMax: 8,
      inventory: volumeInventory({ disks: () => disks, source }),
      propose: async (orphans) => {
        proposed.push(...orphans);
        return orphans.length;
      },
    }),
  ];
}

/** The canary is small: all references at once. */
async function neededOf(
  ids: ReadonlySet<string>, source: ManifestSource, holds: ReadonlySet<string>,
): Promise<Set<string>> {
  const needed = new Set(holds);
  for (const { manifest } of await source.page(undefined, 10_000)) {
    for (const { id } of readManifest(manifest)?.blocks ?? []) needed.add(id);
  }
  return needed.intersection(ids);
}

/** Users read from a store of their own on a copy of disk A: opening it may repair what a crash
 *  has left, and the verifiers are to see what was planted. */
class CanaryReading {
  readonly #canary: Canary;
  readonly #backends: CanaryBackends;
  #opened: Promise<{ metadata: MetadataStore; blocks: CanaryBlocks }> | undefined;

  constructor(canary: Canary, backends: CanaryBackends) {
    this.#canary = canary;
    this.#backends = backends;
  }

  async read(address: string): Promise<ReadBack> {
    this.#opened ??= this.#open();
    const bytes = await readAsUser(this.#canary, address, await this.#opened);
    if (bytes === 'superseded') return { kind: 'superseded' };
    if (bytes === 'missing') {
      const message = 'There is no such file.';
      throw new HoldfastError('not-found', 'durability/CanaryReading.read', message);
    }
    return { kind: 'bytes', pieces: piecesOf(bytes) };
  }

  async #open(): Promise<{ metadata: MetadataStore; blocks: CanaryBlocks }> {
    const paths = pathsIn(this.#canary.directory);
    await rm(paths.reading, { recursive: true, force: true });
    await cp(paths.diskA, join(paths.reading, 'disk'), { recursive: true });
    const own = pathsIn(paths.reading).metadata;
    await this.#backends.metadata.copy(paths.metadata, own);
    const metadata = await this.#backends.metadata.open(own);
    try {
      const witness = await metadata.readWitness();
      const options = { volumeBytesMax: 1024 * 1024, witness };
      const blocks = await this.#backends.openBlocks(join(paths.reading, 'disk'), options);
      return { metadata, blocks };
    } catch (error) {
      await this.#backends.metadata.close(own);
      throw error;
    }
  }

  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined);
    await opened?.blocks.close();
    const { reading } = pathsIn(this.#canary.directory);
    const own = pathsIn(reading).metadata;
    await this.#backends.metadata.close(own);
    await this.#backends.metadata.drop(own);
    await rm(reading, { recursive: true, force: true });
  }
}

async function* piecesOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}
