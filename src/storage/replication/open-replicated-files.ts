import { HoldfastError } from '../../base/errors.ts';
import type { Witness } from '../../base/witness.ts';
import { systemRandom } from '../../platform/index.ts';
import type { Clock, Random } from '../../platform/index.ts';
import { explained } from '../backends/local/inspection.ts';
import type { OnCopyFinding } from './copy-findings.ts';
import type { Judgement } from './copy-judgement.ts';
import type { VolumeCopies } from './copy-table.ts';
import { copyVolume } from './copy-volume.ts';
import { DiskLink } from './disk-link.ts';
import type { DiskRegister } from './disk-register.ts';
import { Disks } from './disks.ts';
import { letGoLeftover } from './leftover-copy.ts';
import { parseVolumeName } from './file-names.ts';
import { Pace } from './pace.ts';
import { reconcile } from './reconcile.ts';
import { RepairWorker } from './repair-worker.ts';
import { ReplacedCopies } from './replaced-copies.ts';
import { ReplicatedVolumeFiles } from './replicated-volume-files.ts';
import { ErasureSets } from './sets/erasure-sets.ts';
import { SetAccess } from './sets/set-access.ts';
import type { ErasurePolicy } from './sets/set-parts.ts';
import { surveySets } from './sets/set-survey.ts';
import { SetView } from './sets/set-view.ts';
import type { ReplicationPolicy, VolumeDisk } from './volume-disk.ts';

const OP = 'storage/ReplicatedVolumeFiles.open';

export const REPLICATION_DEFAULTS: Readonly<ReplicationLimits> = {
  roomBytes: 256 * 1024 ** 2,
  repairBytesPerSecond: 64 * 1024 ** 2,
  missingAfterMs: 15 * 60 * 1000,
};

export interface ReplicationLimits {
  /** A disk with less room gets no new volume, and no copy that would leave less. */
  roomBytes: number;
  /** What repairs may move in all. */
  repairBytesPerSecond: number;
  /** A disk that does not answer for so long is taken for lost: its copies are made anew. */
  missingAfterMs: number;
}

export interface ReplicatedOptions {
  /** All disks that may hold copies, retired ones too. */
  readonly disks: readonly VolumeDisk[];
  readonly policy: ReplicationPolicy;
  /** What the metadata store knows to be durable. */
  readonly witness: Witness;
  /** See LocalVolumeOptions. */
  readonly isWitnessWhole?: boolean | undefined;
  readonly clock: Clock;
  /** Hears of everything that is found or done. Must not throw. */
  readonly onFinding: OnCopyFinding;
  readonly limits?: Partial<ReplicationLimits>;
  /** A disk has gone missing, or is back: for whoever keeps the register. */
  readonly onDiskState?: (link: DiskLink) => void;
  /** When cold volumes lose all copies but one to parity. Undefined: no new sets are made. */
  readonly erasure?: ErasurePolicy | undefined;
  /** The system's, unless said. */
  readonly random?: Random;
}

export interface Replicated {
  /** For LocalVolumeStore. */
  readonly files: ReplicatedVolumeFiles;
  /** Not started yet: the store above must be open before. */
  readonly repair: RepairWorker;
  /** What is done with disks, for a cluster that keeps a register of them. */
  readonly administer: (register: DiskRegister) => Disks;
  readonly sets: ErasureSets;
  /** What repair has put into the trash. */
  readonly replaced: ReplacedCopies;
  /** Disks with a whole copy of the volume, as far as known; undefined: it is no volume of ours. */
  readonly wholeOn: (volumeName: string) => readonly string[] | undefined;
  /** All disks, also those that are added later. */
  readonly links: readonly DiskLink[];
}

/**
 * Compares all copies, levels torn ends, and makes the disks usable as one.
 * @throws invalid: the policy, or a foreign disk; corrupt: copies differ and nothing decides;
 *   unavailable: too few disks answer to be sure that nothing acknowledged is missing. Nothing that
 *   was acknowledged has been changed then.
 */
export async function openReplicatedFiles(options: ReplicatedOptions): Promise<Replicated> {
  const { clock, onFinding, policy, witness, onDiskState } = options;
  checkPolicy(options);
  const limits = { ...REPLICATION_DEFAULTS, ...options.limits };
  const links = options.disks.map((disk) => new DiskLink(disk, clock));
  // A disk that was missing may be back; if not, it will be found missing again.
  for (const link of links) if (link.state === 'missing') link.state = 'active';
  const sets = await surveySets(links);
  const { table, findings, merges, silent, leftovers } = await reconcile(
    links, { witness, isWitnessWhole: options.isWitnessWhole ?? true }, sets);
  const access = new SetAccess({ links, copies: table, sets, clock });
  const view = new SetView(sets, access);
  for (const finding of findings) onFinding(finding);
  for (const { id: diskId } of silent) onFinding({ kind: 'disk-silent', volumeId: 0, diskId });
  for (const leftover of leftovers) await letGoLeftover(leftover, clock.now(), onFinding);
  for (const judgement of merges) {
    const copies = table.find(judgement.volumeId);
    if (copies !== undefined) await merge(judgement, copies, options);
  }
  const parts = {
    links, table, policy, clock, roomBytes: limits.roomBytes, onFinding, sets: view,
  };
  const files = new ReplicatedVolumeFiles(parts);
  await explained(0, () => files.list());
  const repair = new RepairWorker({
    clock, policy, onFinding, roomBytes: limits.roomBytes,
    bytesPerSecond: limits.repairBytesPerSecond, missingAfterMs: limits.missingAfterMs,
    ...(onDiskState !== undefined && { onDiskState }),
  }, { links, table, files });
  const { roomBytes } = limits;
  const erasure = new ErasureSets({
    links, copies: table, sets, view, access, files, policy, clock, roomBytes, onFinding,
    random: options.random ?? systemRandom, pace: repair.pace,
  }, options.erasure);
  repair.sets = erasure;
  const wholeOn = (name: string): string[] | undefined => table.find(parseVolumeName(name))?.good;
  const administer = (register: DiskRegister): Disks =>
    new Disks({ register, links, table, files, policy, clock, roomBytes, sets: erasure });
  const replaced = new ReplacedCopies({
    links, table, files, policy, sets: view, clock, pace: repair.pace,
  });
  return { files, repair, administer, links, sets: erasure, replaced, wholeOn };
}

function checkPolicy({ disks, policy }: ReplicatedOptions): void {
  const { copies, acksMin } = policy;
  if (!(acksMin >= 1 && acksMin <= copies)) {
    const message = 'A write must be on at least one disk, and on no more than there are copies.';
    throw new HoldfastError('invalid', OP, message, { facts: { copies, acksMin } });
  }
  if (new Set(disks.map(({ id }) => id)).size < disks.length) {
    const message = 'Two disks have the same id: one is a copy of the other. Take one away.';
    throw new HoldfastError('invalid', OP, message);
  }
}

/** No copy is whole: one is put together from all. If that fails, the store above reads the most
 *  trusted one, and says what is damaged. */
async function merge(
  { volumeId, states }: Judgement,
  copies: VolumeCopies,
  { clock, onFinding }: ReplicatedOptions,
): Promise<void> {
  const sources = [...states].filter(([, state]) => state === 'damaged').map(([link]) => link);
  const target = sources.find(({ state }) => state === 'active') ?? sources[0];
  if (target === undefined) return;
  try {
    await copyVolume({
      volumeId, sources, target, known: copies, pace: new Pace(clock, Infinity),
      stopped: () => false, onProgress: () => undefined,
      onBadSource: () => undefined, beforeNaming: () => Promise.resolve(),
    }, clock.now());
    onFinding({ kind: 'copy-made', volumeId, diskId: target.id, detail: 'from damaged ones' });
  } catch (error) {
    const detail = error instanceof HoldfastError ? error.message : 'the disk refused';
    onFinding({ kind: 'copy-not-made', volumeId, diskId: target.id, detail });
  }
  copies.states.set(target.id, 'good');
}
