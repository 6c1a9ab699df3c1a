/** One tenant's blocks with all that looks after them: disks or buckets, keys, cache and mirror. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Witness } from '../base/witness.ts';
import type { Clock, Logger, Random } from '../platform/index.ts';
import { openSealer } from '../storage/index.ts';
import type {
  BackendSettings, BlockSealer, BlockStore, HoldEncrypted, StoreSharing,
} from '../storage/index.ts';
import { holdEncrypted } from '../storage/backends/local/encrypted-volumes.ts';
import type { VolumeFinding } from '../storage/backends/local/findings.ts';
import { LocalVolumeStore } from '../storage/backends/local/local-volume-store.ts';
import { NodeVolumeFiles } from '../storage/backends/local/node-volume-files.ts';
import { SwitchedVolumeFiles } from '../storage/backends/local/switched-volume-files.ts';
import { openBackend } from './block-backend.ts';
import type { BlockBackend } from './block-backend.ts';
import type { BlockPlaces } from './block-place.ts';
import { Fleet } from './fleet.ts';
import type { FleetSettings, OpenedFleet } from './fleet.ts';
import { marksOf } from './home-list.ts';
import type { HomePlace } from './home-list.ts';

/** What one storage policy says. */
export interface HomeSettings {
  readonly settings: FleetSettings;
  readonly backend: BackendSettings;
}

export interface BlockHome {
  readonly place: HomePlace;
  readonly blocks: BlockStore;
  /** The store behind `blocks`: local volumes or an object store. */
  readonly backend: BlockBackend;
  /** The disks behind `blocks`, if these are local volumes. */
  readonly fleet: Fleet;
  /** Undefined while `volumes` is the only disk. Changes once, when `useAllDisks` resolves. */
  readonly opened: OpenedFleet | undefined;
  /** Uses all disks of the register from now on, where `volumes` was the only one: puts wait for a
   *  moment, and what is there gets its copies afterwards. Nothing may collect garbage meanwhile.
   *  `witness`: what the metadata refers to, of this home. Calm when they are in use.
   *  @throws as Fleet.open; everything goes on with the one disk then. */
  useAllDisks(witness: Witness): Promise<void>;
  /** Whether all is there that the metadata refers to, of this home, by marks that were not known
   *  when it was opened. @throws corrupt: something is missing; unavailable. */
  checkMarks(witness: Witness): Promise<void>;
  close(): Promise<void>;
}

export interface HomeParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: Random;
}

export interface HomeOptions extends HomeParts, HomeSettings {
  readonly place: HomePlace;
  /** The directory in which all homes lie: no master key may be there. */
  readonly dataPath: string;
  /** Where its blocks lie by its own note. */
  readonly places: BlockPlaces;
  /** What was durable in its volumes when the metadata last referred to them. */
  readonly witness: Witness;
  /** See LocalVolumeOptions. */
  readonly isWitnessWhole?: boolean | undefined;
  /** See BackendOptions. */
  readonly sharing?: StoreSharing | undefined;
}

/** Everything that was opened is closed again when it throws.
 *  @throws corrupt, invalid, conflict, unavailable: the reason; nothing was changed then. */
export async function openBlockHome(options: HomeOptions): Promise<BlockHome> {
  const { place, witness, settings } = options;
  const { root, id: instanceId } = place;
  const parts: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    for (const part of parts.splice(0).reverse()) await part.close();
  };
  try {
    const fleet = new Fleet({
      ...options, settings, dataPath: root, instanceId,
      ...(place.number !== 0 && { within: options.dataPath }),
    });
    parts.push(fleet);
    const isLocal = options.backend.backend === 'local';
    const disks: UsedDisks = { several: isLocal ? await fleet.open(witness, options) : undefined };
    const backend = await openBackend({
      ...options, root, instanceId, openLocal: () => openBlocks(options, disks),
      openSealer: (hold) => sealerOf(options, hold),
    });
    parts.push(backend);
    parts.push({ close: async () => disks.several?.repair.stop() });
    const { number } = place;
    const marked = number === 0 ? backend
      : { ...backend, witness: () => marksOf(number, backend.witness()) };
    return {
      place, blocks: backend.blocks, backend: marked, fleet, close,
      get opened() {
        return disks.several;
      },
      checkMarks: (marks) => backend.checkMarks(marks),
      useAllDisks: (now) => useAll(disks, () => fleet.open(now)),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** With the home's own keys. */
function sealerOf(
  { place, dataPath, settings: { compression, encryptionKeyPath } }: HomeOptions,
  hold: HoldEncrypted,
): Promise<BlockSealer | undefined> {
  return openSealer({
    dataDirectory: place.root, around: dataPath, tenantId: place.tenant,
    masterKeyFile: encryptionKeyPath, compression, holdEncrypted: hold,
  });
}

interface UsedDisks {
  several: OpenedFleet | undefined;
  /** While there is one disk. */
  single?: { blocks: LocalVolumeStore; files: SwitchedVolumeFiles };
}

async function useAll(
  disks: UsedDisks, open: () => Promise<OpenedFleet | undefined>,
): Promise<void> {
  const { single } = disks;
  if (disks.several !== undefined || single === undefined) return;
  await single.blocks.atRest(async () => {
    const opened = await open();
    if (opened === undefined) return;
    single.files.switchTo(opened.files);
    disks.several = opened;
    repairBelow(single.blocks, opened);
  });
}

function repairBelow(blocks: LocalVolumeStore, { repair }: OpenedFleet): void {
  repair.endDegraded = () => blocks.endDegraded();
  repair.start();
}

async function openBlocks(
  options: HomeOptions, disks: UsedDisks,
): Promise<LocalVolumeStore> {
  const { place, witness, log, clock, settings } = options;
  const root = join(place.root, 'volumes');
  const { reserveBytes, sealAfterSeconds, volumeBytes } = settings;
  const { several } = disks;
  if (several === undefined) await mkdir(root, { recursive: true, mode: 0o700 });
  const single = new SwitchedVolumeFiles(new NodeVolumeFiles(root));
  const files = several?.files ?? single;
  const sealer = await sealerOf(options, () => holdEncrypted({
    list: () => files.list(), open: (name) => files.open(name, 'read'),
  }));
  const blocks = await LocalVolumeStore.open({
    root, clock, witness, isWitnessWhole: options.isWitnessWhole, sealer, files,
    config: {
      sealAfterMs: sealAfterSeconds * 1000, volumeBytesMax: volumeBytes,
      ...(reserveBytes !== undefined && { reserveBytes }),
    },
    onFinding: (finding) => {
      tell(log, finding);
      disks.several?.heed(finding);
    },
  });
  if (several !== undefined) repairBelow(blocks, several);
  else disks.single = { blocks, files: single };
  return blocks;
}

/** Only what cannot be read as it was stored is an alarm. */
function tell(log: Logger, finding: VolumeFinding): void {
  const [level, message] = WORDS[finding.kind];
  log[level]({ finding }, message);
}

type Words = readonly ['error' | 'warn' | 'info', string];

const WORDS: Readonly<Record<VolumeFinding['kind'], Words>> = {
  'torn-tail': ['info', 'what was being written when the program ended was cut off'],
  'damaged-range': ['error', 'stored bytes are damaged'],
  'damaged-block': ['error', 'stored bytes are damaged'],
  'read-failed': ['error', 'stored bytes cannot be read'],
  'write-failed': ['warn', 'a disk refused a write; it was or will be made on another volume'],
  'seal-failed': ['warn', 'a volume could not be sealed; the next start reads it whole'],
  'volume-gap': ['error', 'a volume is missing'],
  'writes-stopped': ['error', 'no volume can be written; writes are refused until a restart'],
};
