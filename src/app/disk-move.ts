/**
 * A disk that stands elsewhere now: in another folder, or on another filer. Its id says which disk
 * it is; what has to be made sure of is that it is in one place only.
 */
import { hostname } from 'node:os';
import { HoldfastError } from '../base/errors.ts';
import type { DiskLabels, DiskPlan, DiskRegister, RegisteredDisk } from '../storage/index.ts';
import type { Fleet, OpenedFleet, SeenDisk } from './fleet.ts';

const OP = 'app/disk-move';
/** A host's label that nobody has chosen. */
const OWN_HOST = /^filer-[0-9a-f]{8}$/;

export interface MoveOrder {
  readonly diskId: string;
  /** A folder, or `filer:HOST:PORT`. */
  readonly place: string;
  /** Names of what it shares with others from now on. */
  readonly labels: Partial<DiskLabels>;
}

export interface MoveParts {
  readonly fleet: Fleet;
  readonly register: Pick<DiskRegister, 'find'>;
}

export interface PlannedMove {
  readonly plan: DiskPlan;
  /** Undefined when it is not there. */
  readonly target: { readonly where: string; readonly labels: DiskLabels } | undefined;
}

/** @throws not-found: there is no such disk; what `Fleet.seeAt` throws. */
export async function planMove(
  { fleet, register }: MoveParts, { diskId, place, labels }: MoveOrder,
): Promise<PlannedMove> {
  const known = register.find(diskId);
  if (known === undefined) {
    const message = 'There is no such disk. See: holdfast disk list';
    throw new HoldfastError('not-found', OP, message, { facts: { diskId } });
  }
  const seen = await fleet.seeAt(place);
  const there = seen.find((one) => one.diskId === diskId);
  const objections: string[] = [];
  if (known.state === 'retired') objections.push('It was retired: it comes back as a new one.');
  if (there === undefined) objections.push(whoIsThere(seen));
  else if (there.where === known.where) objections.push('It is known there already.');
  else if (await fleet.isStillAt(known.where, diskId)) objections.push(twice(known.where));
  const next = there === undefined ? undefined
    : { where: there.where, labels: labelsOf(known, there, labels) };
  const plan = {
    action: 'move', diskId, volumeCount: 0, volumeBytes: 0, objections, etag: '',
    notes: next === undefined ? [] : notesOf(known, next),
  } as const;
  return { plan, target: objections.length === 0 ? next : undefined };
}

/** Plans again, and does it: in the register first, so that the next start finds the disk.
 *  @throws conflict: there are objections. */
export async function applyMove(
  fleet: Fleet, opened: OpenedFleet | undefined, order: MoveOrder,
): Promise<DiskPlan> {
  // Without the disks it is changed where the data directory knows it; the next start, or the next
  // change, writes it to all of them.
  const register = opened?.disks.register ?? (await fleet.knownDisks());
  const { plan, target } = await planMove({ fleet, register }, order);
  const { diskId } = order;
  const from = register.find(diskId)?.where;
  if (target === undefined || from === undefined) {
    const message = plan.objections[0] ?? 'The disk is not there.';
    throw new HoldfastError('conflict', OP, message, {
      code: 'disk-move-refused', facts: { diskId },
    });
  }
  await register.relocate(diskId, target);
  if (opened === undefined) return plan;
  await fleet.moveTo(diskId, from, target.where);
  const remote = target.where.startsWith('filer:');
  opened.disks.noteMoved(diskId, { labels: target.labels, remote });
  return plan;
}

function whoIsThere(seen: readonly SeenDisk[]): string {
  if (seen.length === 0) return 'No disk is there.';
  const ids = seen.map(({ diskId }) => diskId).join(', ');
  return `It is not there: ${seen.length === 1 ? 'the disk there is' : 'the disks there are'} `
    + `${ids}.`;
}

function twice(where: string): string {
  return `It is at ${where} as well: one of the two is a copy, and nobody can tell which. Take the `
    + 'one away that is not wanted, then say this again.';
}

/** A host's name that was made up for the old place would be wrong at the new one. */
function labelsOf(
  { labels: old }: RegisteredDisk, { host }: SeenDisk, wanted: Partial<DiskLabels>,
): DiskLabels {
  const isMadeUp = old.host === hostname() || OWN_HOST.test(old.host);
  return { ...old, ...(isMadeUp && { host }), ...wanted };
}

function notesOf(
  { where, labels }: RegisteredDisk, next: { where: string; labels: DiskLabels },
): string[] {
  const notes = [`From ${where} to ${next.where}.`];
  for (const level of ['host', 'rack', 'zone'] as const) {
    if (labels[level] === next.labels[level]) continue;
    notes.push(`Its ${level} is ${next.labels[level]} from now on; it was ${labels[level]}.`);
  }
  notes.push('Its copies are compared with the others before they count again.');
  return notes;
}
