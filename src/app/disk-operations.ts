/** What `holdfast disk` has done: in the running server, or alone while none runs. */
import { hostname } from 'node:os';
import { HoldfastError, isKind } from '../base/errors.ts';
import type { Operations, PlainRecord } from '../operations/index.ts';
import type { DiskLabels, DiskPlan, NewDisk, RegisteredDisk } from '../storage/index.ts';
import { parseVolumeName } from '../storage/backends/local/volume.ts';
import { applyMove, planMove } from './disk-move.ts';
import type { FoundDisk } from './fleet.ts';
import type { BlockHome } from './block-home.ts';

const OP = 'app/disk';
const ACTIONS = ['drain', 'undrain', 'retire'] as const;
type Action = (typeof ACTIONS)[number];

const EMPTY_FOLDER = {
  action: 'add', diskId: 'new', volumeCount: 0, volumeBytes: 0, etag: '',
  objections: [] as readonly string[],
  notes: ['The folder is empty. It becomes a disk of this server.'] as readonly string[],
};
/** A tenant's home asks a filer for the first time. */
const FRESH_FILER = {
  ...EMPTY_FOLDER,
  notes: ['The filer sets a part of each of its disks apart for this tenant, which is kept from '
    + 'all others there.'],
};

/** In a server, which goes on with what it has opened, or without one. */
export interface DiskSurroundings {
  readonly isServing: boolean;
  /** See BlockHomes. */
  readonly useAllDisks: () => Promise<'now' | 'soon'>;
}

export function diskOperations(stores: BlockHome, around: DiskSurroundings): Operations {
  const { isServing } = around;
  let lastAdding: Promise<unknown> = Promise.resolve();
  return {
    'disk.list': async (input) => (
      { ...(await listDisks(stores, input['all'] === true)), serving: isServing }),
    // One after the other: two that are the first at once would each found a register.
    'disk.add': (input) => {
      const adding = lastAdding.then(() => addDisks(stores, input, around));
      lastAdding = adding.catch(() => undefined); // Who asked hears of it.
      return adding;
    },
    'disk.move': (input) => moveDisk(stores, input),
    'disk.plan': async (input) => {
      const { disks } = severalOf(stores);
      const { action, diskId, acceptLoss } = wanted(input);
      if (action === 'drain') return plain(await disks.planDrain(diskId));
      if (action === 'undrain') return plain(await disks.planUndrain(diskId));
      return plain(await disks.planRetire(diskId, { acceptLoss }));
    },
    'disk.apply': async (input) => {
      const { disks } = severalOf(stores);
      const { action, acceptLoss } = wanted(input);
      const plan = input['plan'] as unknown as DiskPlan;
      if (action === 'drain') await disks.drain(plan);
      else if (action === 'undrain') await disks.undrain(plan);
      else await disks.retire(plan, { acceptLoss });
      return {};
    },
  };
}

async function listDisks({ fleet, opened, blocks }: BlockHome, all: boolean): Promise<PlainRecord> {
  if (opened === undefined) {
    const { storedBytes } = blocks.state();
    const registered = await fleet.registered();
    return { single: true, storedBytes, addedCount: Math.max(0, registered.length - 1) };
  }
  const { policy, repair, missingAfterMs } = opened;
  const disks = await opened.disks.list(all);
  const newVolumes = await opened.disks.newVolumes();
  return plain({
    single: false, policy, missingAfterMs, disks, newVolumes, repair: repair.status(),
    erasure: opened.sets.status(),
  });
}

/** First without, then with `confirmed`: the plan is made anew and must still be the same. */
async function addDisks(
  stores: BlockHome, input: PlainRecord, around: DiskSurroundings,
): Promise<PlainRecord> {
  const { fleet, opened } = stores;
  const place = textOf(input, 'place');
  const adopt = input['confirmed'] === true;
  try {
    const answer = await fleet.look(place, { adopt }, async (found) => {
      refuseCopies(found, await fleet.registered());
      return adopt ? undefined : planAdding(stores, found, input, around);
    });
    if (answer !== undefined) return answer;
  } catch (error) {
    const isEmpty = isKind(error, 'conflict') && error.code === 'disk-unknown';
    if (!isEmpty || adopt) throw error;
    return plain({ plans: [withFirst(EMPTY_FOLDER, opened, around)], known: 0 });
  }
  const found = await fleet.use(place, { adopt });
  if (opened === undefined) return foundRegister(stores, found, input, around);
  const fresh = await onlyNew(stores, found);
  const plans: DiskPlan[] = [];
  for (const one of fresh) {
    const disk = newDisk(one, input);
    const plan = await opened.disks.planAdd(disk);
    plans.push(plan);
    await opened.disks.add(disk, plan);
  }
  return plain({ plans, use: 'now', known: found.length - fresh.length });
}

/** First without, then with `confirmed`: it is planned anew, and refused when it has objections. */
export async function moveDisk(
  { fleet, opened }: Pick<BlockHome, 'fleet' | 'opened'>, input: PlainRecord,
): Promise<PlainRecord> {
  const labels: { host?: string; rack?: string; zone?: string } = {};
  for (const level of ['host', 'rack', 'zone'] as const) {
    const label = optional(input, level);
    if (label !== undefined) labels[level] = label;
  }
  const order = { diskId: textOf(input, 'diskId'), place: textOf(input, 'place'), labels };
  if (input['confirmed'] === true) return plain(await applyMove(fleet, opened, order));
  const register = opened?.disks.register ?? (await fleet.knownDisks());
  return plain((await planMove({ fleet, register }, order)).plan);
}

async function planAdding(
  stores: BlockHome, found: readonly FoundDisk[], input: PlainRecord, around: DiskSurroundings,
): Promise<PlainRecord> {
  const { opened } = stores;
  if (found.length === 0) {
    return plain({ plans: [withFirst(FRESH_FILER, opened, around)], known: 0 });
  }
  const fresh = await onlyNew(stores, found);
  const known = found.length - fresh.length;
  if (opened === undefined) {
    return plain({ plans: await firstPlans(fresh, around), known });
  }
  const plans: DiskPlan[] = [];
  for (const one of fresh) plans.push(await opened.disks.planAdd(newDisk(one, input)));
  return plain({ plans, known });
}

async function onlyNew({ fleet }: BlockHome, found: readonly FoundDisk[]): Promise<FoundDisk[]> {
  const known = new Set((await fleet.registered()).map(({ id }) => id));
  return found.filter(({ disk }) => !known.has(disk.id));
}

/** A disk is in one place. Nobody can tell which of two is the true one but an operator. */
function refuseCopies(found: readonly FoundDisk[], known: readonly RegisteredDisk[]): void {
  for (const { disk, where } of found) {
    const same = known.find(({ id }) => id === disk.id);
    if (same === undefined || same.where === where || same.state === 'retired') continue;
    const message = `A disk there has the id ${disk.id}, which is known at ${same.where}: one is a `
      + `copy of the other. Take the copy away. If it was moved: holdfast disk move ${disk.id}`;
    throw new HoldfastError('conflict', OP, message, { code: 'disk-cloned' });
  }
}

/** The second disk ever: from now on there is a register, and copies. A running server has opened
 *  its one disk in the plain way, and goes over to all of them in a moment of rest. */
async function foundRegister(
  { fleet }: BlockHome, found: readonly FoundDisk[], input: PlainRecord, around: DiskSurroundings,
): Promise<PlainRecord> {
  const own = { disk: 'volumes', host: hostname(), rack: 'one', zone: 'one' };
  const register = await fleet.found(own);
  const fresh = found.filter(({ disk }) => register.find(disk.id) === undefined);
  const plans = await firstPlans(fresh, around);
  for (const one of fresh) {
    const { id, labels, where } = newDisk(one, input);
    await one.disk.files.prepare();
    await register.add(
      { id, labels, where, state: 'active', addedMs: fleet.now() }, { id, files: one.disk.files },
    );
  }
  return plain({ plans, known: found.length - fresh.length, ...(await useThem(around)) });
}

/** When the disks of the register are used: `now`; `soon`, after what keeps the server from it for
 *  the moment; or `start`, for the reason that is said. */
async function useThem(
  { isServing, useAllDisks }: DiskSurroundings,
): Promise<{ use: 'now' | 'soon' | 'start'; reason?: string }> {
  if (!isServing) return { use: 'start' };
  try {
    return { use: await useAllDisks() };
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error; // The log has it.
    return { use: 'start', reason: error.message };
  }
}

/** @throws conflict disk-not-empty: it would bring volumes whose numbers this server gives anew. */
async function firstPlans(fresh: readonly FoundDisk[], around: DiskSurroundings) {
  for (const { disk: { id, files } } of fresh) {
    const volumes = (await files.list()).filter((name) => parseVolumeName(name) !== undefined);
    if (volumes.length === 0) continue;
    const message = `Disk ${id} holds ${volumes.length} volumes: it is not empty, and was left as `
      + 'it is. Add an empty folder; what that disk holds can be looked at meanwhile.';
    throw new HoldfastError('conflict', OP, message, { code: 'disk-not-empty' });
  }
  return fresh.map(({ disk: { id } }) => (
    withFirst({ ...EMPTY_FOLDER, diskId: id, notes: [] }, undefined, around)));
}

/** The first disk that is added changes more than the list of disks. */
function withFirst(
  plan: typeof EMPTY_FOLDER, opened: BlockHome['opened'], { isServing }: DiskSurroundings,
): typeof EMPTY_FOLDER {
  if (opened !== undefined) return plan;
  const note = `${isServing ? 'From then on' : 'From the next start on'} everything is kept on `
    + 'several disks; what is there now is copied.';
  return { ...plan, notes: [...plan.notes, note] };
}

function newDisk({ disk, where, host }: FoundDisk, input: PlainRecord): NewDisk {
  const labels: DiskLabels = {
    disk: disk.id,
    host: optional(input, 'host') ?? host,
    rack: optional(input, 'rack') ?? 'one',
    zone: optional(input, 'zone') ?? 'one',
  };
  const remote = where.startsWith('filer:');
  return { id: disk.id, labels, files: disk.files, state: 'active', where, remote };
}

function severalOf({ opened }: BlockHome) {
  if (opened !== undefined) return opened;
  const message = 'There is only one disk. Add another one first: holdfast disk add';
  throw new HoldfastError('conflict', OP, message);
}

function wanted(input: PlainRecord): { action: Action; diskId: string; acceptLoss: boolean } {
  const action = ACTIONS.find((one) => one === input['action']);
  if (action === undefined) throw new HoldfastError('invalid', OP, 'There is no such action.');
  return { action, diskId: textOf(input, 'diskId'), acceptLoss: input['acceptLoss'] === true };
}

function textOf(input: PlainRecord, name: string): string {
  const value = optional(input, name);
  if (value !== undefined) return value;
  throw new HoldfastError('invalid', OP, `The order lacks ${name}.`);
}

function optional(input: PlainRecord, name: string): string | undefined {
  const value = input[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function plain(value: object): PlainRecord {
  return JSON.parse(JSON.stringify(value)) as PlainRecord;
}
