/**
 * Puts a sound copy of a volume in the place of a damaged or missing one.
 *
 * What a verifier reported may be no longer true, so the premise is checked again right here: the
 * bad copy is still bad, the good one is whole to the last hash, and both are the same volume. The
 * bad file is kept beside under another name; nothing is overwritten and nothing unlinked.
 */
import { HoldfastError } from '../../base/errors.ts';
import { checkVolume } from './volume/volume-check.ts';
import type { CheckResult } from './volume/volume-check.ts';
import { readAt, systemCode, withVolume } from './volume/volume-folder.ts';
import type { ReadableVolume, VolumeFolder } from './volume/volume-folder.ts';
import { HEAD_BYTES, parseVolumeFileName, readHead } from './volume/volume-format.ts';
import type { VolumeHead } from './volume/volume-format.ts';
import { PIECE_BYTES } from './volume/volume-window.ts';
import type { Pace } from './volume/volume-window.ts';

/** A disk that may be written to; a `VolumeFiles` of the store is one. */
export interface RepairFolder extends VolumeFolder {
  open(name: string, how: 'read' | 'create'): Promise<RepairFile>;
  rename(from: string, to: string): Promise<void>;
  syncFolder(): Promise<void>;
}

export interface RepairFile extends ReadableVolume {
  write(pieces: readonly Uint8Array[], position: number): Promise<void>;
  sync(): Promise<void>;
}

export interface RepairOrder {
  name: string;
  bad: { id: string; files: RepairFolder };
  good: { id: string; files: VolumeFolder };
  /** How far the volume is known to have been durable. */
  markEnd: number;
  pace: Pace;
  /** Makes the file names of what is put aside and of drafts unlike any other. */
  stamp: string;
}

export type RepairOutcome = 'repaired' | 'not-needed';

const OP = 'durability/repairVolume';

/** Durable once resolved. @throws conflict: the good copy is not good, or of another volume;
 *  nothing was changed then. */
export async function repairVolume(order: RepairOrder): Promise<RepairOutcome> {
  const { name, bad, good, stamp } = order;
  const fromBad = await checkCopy(bad.files, order);
  if (fromBad !== undefined && fromBad.faults.length === 0) {
    const isSame = await isSameAs(order, fromBad);
    if (isSame) return 'not-needed';
  }
  const fromGood = await checkCopy(good.files, order);
  if (fromGood === undefined || fromGood.faults.length > 0) {
    throw refuse('The copy to repair from is damaged itself. Nothing was changed.');
  }
  if (!(await areOneVolume(order))) {
    throw refuse('The two copies belong to different volumes. Nothing was changed.');
  }
  const draft = `${name}.repair-${stamp}`;
  await copyTo(draft, order);
  if (fromBad !== undefined) await bad.files.rename(name, `${name}.bad-${stamp}`);
  await bad.files.rename(draft, name);
  await bad.files.syncFolder();
  return 'repaired';
}

/** By their superblocks; a damaged one cannot speak against it. */
async function areOneVolume({ name, bad, good }: RepairOrder): Promise<boolean> {
  const [left, right] = [await headIn(bad.files, name), await headIn(good.files, name)];
  if (left === undefined || right === undefined) return true;
  return left.storeId === right.storeId && left.seed.equals(right.seed);
}

async function headIn(files: VolumeFolder, name: string): Promise<VolumeHead | undefined> {
  try {
    const bytes = await withVolume(files, name, (file) => readAt(file, 0, HEAD_BYTES));
    const head = readHead(bytes);
    return typeof head === 'string' ? undefined : head;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Undefined when there is no such file. */
async function checkCopy(
  files: VolumeFolder, { name, markEnd, pace }: RepairOrder,
): Promise<CheckResult | undefined> {
  const volumeId = parseVolumeFileName(name)?.id ?? 0;
  try {
    return await withVolume(files, name, (file) => checkVolume({
      file, volumeId, markEnd, pace, hashes: true, from: undefined, wasSealed: false,
    }));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Two copies that are sound by themselves may still differ, or one may have lost its footer. */
async function isSameAs(order: RepairOrder, bad: CheckResult): Promise<boolean> {
  const good = await checkCopy(order.good.files, order);
  if (good === undefined || good.faults.length > 0) return false;
  if (good.sizeBytes !== bad.sizeBytes) return false;
  return withVolume(order.good.files, order.name, (left) =>
    withVolume(order.bad.files, order.name, async (right) => {
      for (let at = 0; at < good.sizeBytes; at += PIECE_BYTES) {
        await order.pace.budget?.take(PIECE_BYTES, order.pace.signal);
        const bytes = await readAt(left, at, PIECE_BYTES);
        if (!bytes.equals(await readAt(right, at, PIECE_BYTES))) return false;
      }
      return true;
    }));
}

async function copyTo(draft: string, order: RepairOrder): Promise<void> {
  const { name, bad, good, pace } = order;
  const copy = await bad.files.open(draft, 'create');
  try {
    await withVolume(good.files, name, async (file) => {
      const sizeBytes = await file.size();
      for (let at = 0; at < sizeBytes; at += PIECE_BYTES) {
        await pace.budget?.take(PIECE_BYTES, pace.signal);
        await copy.write([await readAt(file, at, Math.min(PIECE_BYTES, sizeBytes - at))], at);
      }
    });
    await copy.sync();
  } finally {
    await copy.close();
  }
  const volumeId = parseVolumeFileName(name)?.id ?? 0;
  const written = await withVolume(bad.files, draft, async (file) => {
    const head = readHead(await readAt(file, 0, HEAD_BYTES));
    const { markEnd } = order;
    const check = await checkVolume({
      file, volumeId, markEnd, pace, hashes: true, from: undefined, wasSealed: false,
    });
    return typeof head !== 'string' && check.faults.length === 0;
  });
  if (!written) throw refuse('The repaired copy did not read back well. Nothing was changed.');
}

function refuse(message: string): HoldfastError {
  return new HoldfastError('conflict', OP, message);
}
