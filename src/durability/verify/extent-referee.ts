/**
 * Keeps its own inventory of volume files and demands an entry in the ledger for each one that is
 * gone, renamed or appeared out of turn. Nobody takes a volume away without giving a reason.
 *
 * Volumes are numbered upwards and name the one written before them, so a file that was lost before
 * the referee first looked is missed too.
 */
import { isKind } from '../../base/errors.ts';
import type { Clock } from '../../platform/index.ts';
import type { Budget } from './budget.ts';
import { PassClock, readStatus } from './coverage.ts';
import type { FindingDesk } from './finding-desk.ts';
import type { FindingKind } from './finding.ts';
import { isUnlinkJustified } from './ledger.ts';
import type { LedgerEntry, LedgerReader } from './ledger.ts';
import type { Soon } from './manifest-source.ts';
import { TRAITS } from './verifier.ts';
import type { RunOptions, RunOutcome, Verifier, VerifierStatus } from './verifier.ts';
import type { VerifyStore } from './verify-store.ts';
import { isDiskError, readAt, systemCode, withVolume } from './volume/volume-folder.ts';
import type { VerifiedDisk } from './volume/volume-folder.ts';
import { HEAD_BYTES, parseAnyVolumeName, readHead } from './volume/volume-format.ts';

export interface ExtentRefereeParts {
  disks: () => readonly VerifiedDisk[];
  ledger: LedgerReader;
  store: VerifyStore;
  desk: FindingDesk;
  clock: Clock;
  /** How far each volume is known to have been durable, from the metadata: they must be there. */
  marks?: () => Soon<ReadonlyMap<number, number>>;
  /** The disks that should hold a copy of a volume, by id, where there are several. */
  placement?: (volumeName: string) => readonly string[] | undefined;
  cycleMs?: number;
}

const SCOPE = 'all';
const ID = 'extent-referee';
const FILES_MAX = 1_000_000;

/** What the inventory knows of a file. */
interface Known {
  disk: string;
  name: string;
  /** In the superblock, or in the name when that cannot be read. */
  volumeId: number;
  isTrash: boolean;
  /** Of the superblock: it tells a volume from every other. Empty when it cannot be read. */
  print: string;
  storeId: string;
  previousVolumeId: number;
  /** Of the ledger, when it was last there: an older entry excuses nothing. */
  ledgerNumber: number;
}

interface LedgerNote {
  number: number;
  hash: string;
}

export class ExtentReferee implements Verifier {
  readonly id = ID;
  readonly unit = TRAITS[ID].unit;
  readonly cycleMs: number;
  readonly #parts: ExtentRefereeParts;
  readonly #passes: PassClock;
  #reports = 0;

  constructor(parts: ExtentRefereeParts) {
    this.#parts = parts;
    this.cycleMs = parts.cycleMs ?? TRAITS[ID].cycleMs;
    this.#passes = new PassClock(parts.store, ID);
  }

  status(): VerifierStatus {
    const { store, clock } = this.#parts;
    return readStatus(store, ID, { nowMs: clock.now(), cycleMs: this.cycleMs });
  }

  async run(budget: Budget, signal: AbortSignal, options: RunOptions = {}): Promise<RunOutcome> {
    const { clock, desk, store } = this.#parts;
    const outcome: RunOutcome = { result: 'checked', checked: 0, reports: 0 };
    const isDue = options.everything === true || this.#passes.isDue(clock.now(), this.cycleMs);
    if (!isDue) return outcome;
    const pass = this.#passes.beginOrResume(clock.now());
    this.#reports = 0;
    const there: Known[] = [];
    const answering = new Set<string>();
    for (const disk of this.#parts.disks()) {
      const found = await this.#inventory(disk, { budget, signal });
      if (found === undefined) continue;
      answering.add(disk.id);
      there.push(...found);
    }
    // Read last: an entry is written before its file goes away.
    const entries = await this.#readLedger();
    const number = entries.at(-1)?.seq ?? 0;
    this.#judgeUnlinks(entries);
    const known = this.#known().filter(({ disk }) => answering.has(disk));
    const missing = this.#judgeMissing(known, there, entries);
    const unexplained = this.#judgeNew(known, { there, entries });
    await this.#judgeChain(there, entries);
    store.together(() => {
      for (const file of there) {
        // What nobody accounts for is not taken into the inventory: it would be forgotten.
        if (unexplained.has(file)) continue;
        store.putNote(ID, keyOf(file), { ...file, ledgerNumber: number });
      }
    });
    pass.checked = there.length + missing.length;
    outcome.checked = pass.checked;
    outcome.reports = this.#reports;
    this.#passes.finish(pass, clock.now());
    desk.settle(ID, pass.begunMs, SCOPE);
    if (pass.checked > 0) return outcome;
    return { ...outcome, result: 'nothing-to-do', reason: 'there are no volumes yet' };
  }

  #known(): Known[] {
    const notes = this.#parts.store.listNotes(ID, { prefix: 'file/', limit: FILES_MAX });
    return notes.map(({ value }) => value as Known);
  }

  /** Undefined when the disk does not answer: then nothing on it is missing, as far as we know. */
  async #inventory(
    disk: VerifiedDisk, pace: { budget: Budget; signal: AbortSignal },
  ): Promise<Known[] | undefined> {
    const files: Known[] = [];
    try {
      for (const name of await disk.files.list()) {
        const parsed = parseAnyVolumeName(name);
        if (parsed === undefined) continue;
        await pace.budget.take(1, pace.signal);
        const head = await headOf(disk, name);
        if (head === 'gone') continue;
        const { isTrash } = parsed;
        const base = { disk: disk.id, name, isTrash, ledgerNumber: 0 };
        files.push(head === undefined
          ? { ...base, volumeId: parsed.id, print: '', storeId: '', previousVolumeId: 0 }
          : { ...base, ...head });
      }
      return files;
    } catch (error) {
      if (isDiskError(error) || isKind(error, 'unavailable')) return undefined;
      throw error;
    }
  }

  async #readLedger(): Promise<readonly LedgerEntry[]> {
    const { store } = this.#parts;
    const { entries, isWhole } = await this.#parts.ledger.read();
    const last = store.findNote(ID, 'ledger') as LedgerNote | undefined;
    const same = last === undefined
      ? undefined : entries.find(({ seq }) => seq === last.number);
    if (!isWhole) {
      this.#report('ledger-broken', `the ledger, entry ${entries.length + 1}`, {});
    } else if (last !== undefined && same === undefined) {
      this.#report('ledger-shorter', 'the ledger', { entries: entries.length, seen: last.number });
    } else if (last !== undefined && same?.hash !== last.hash) {
      this.#report('ledger-broken', `the ledger, entry ${last.number}`, {});
    }
    const newest = entries.at(-1);
    const grew = newest !== undefined && newest.seq >= (last?.number ?? 0);
    if (isWhole && grew && (same === undefined || same.hash === last?.hash)) {
      store.putNote(ID, 'ledger', { number: newest.seq, hash: newest.hash });
    }
    return entries;
  }

  /** Known files that are gone, without an entry that says why. They stay in the inventory. */
  #judgeMissing(
    known: readonly Known[], there: readonly Known[], entries: readonly LedgerEntry[],
  ): Known[] {
    const names = new Set(there.map(keyOf));
    const missing: Known[] = [];
    for (const file of known) {
      if (names.has(keyOf(file))) continue;
      // A volume in use goes to the trash; one in the trash comes back or goes for ever.
      const acts = file.isTrash ? ['unlink', 'restore'] : ['trash'];
      const isExcused = entries.some(({ seq, act, volumeId }) => seq > file.ledgerNumber
        && volumeId === file.volumeId && acts.includes(act))
        || this.#hasMoved(file, there);
      if (isExcused) this.#parts.store.dropNotes(ID, keyOf(file));
      else missing.push(file);
    }
    const misnamed = new Set<string>();
    for (const { disk, name, print, volumeId } of there) {
      if (parseAnyVolumeName(name)?.id !== volumeId) misnamed.add(`${disk}/${print}`);
    }
    for (const file of missing) {
      if (misnamed.has(`${file.disk}/${file.print}`)) continue; // Reported as renamed.
      const trash = file.isTrash ? ' in the trash' : '';
      const where = `disk ${file.disk}, volume ${file.volumeId}${trash}`;
      this.#report('file-missing', where, { volumeId: file.volumeId });
    }
    return missing;
  }

  /** A copy that was let go because others hold the volume, as they should. */
  #hasMoved(file: Known, there: readonly Known[]): boolean {
    const wanted = this.#parts.placement?.(file.name);
    if (wanted === undefined || wanted.includes(file.disk)) return false;
    return there.some(({ disk, name, print }) => print === file.print && name === file.name
      && wanted.includes(disk));
  }

  /** Whoever unlinks gives two inspections as the reason: were they what they must be? */
  #judgeUnlinks(entries: readonly LedgerEntry[]): void {
    for (const entry of entries) {
      if (entry.act !== 'unlink' || isUnlinkJustified(entry, entries)) continue;
      const { seq, volumeId } = entry;
      this.#report('unlink-unjustified', `the ledger, entry ${seq}`, { volumeId });
    }
  }

  #judgeNew(
    known: readonly Known[],
    now: { there: readonly Known[]; entries: readonly LedgerEntry[] },
  ): Set<Known> {
    const { there, entries } = now;
    const old = new Map(known.map((file) => [keyOf(file), file]));
    const isFirst = known.length === 0;
    // Numbers are never given twice, and whatever the ledger speaks of had one.
    const highest = known.reduce((most, { volumeId }) => Math.max(most, volumeId), 0);
    const storeId = this.#storeId(there);
    const unexplained = new Set<Known>();
    for (const file of there) {
      const before = old.get(keyOf(file));
      const numberInName = parseAnyVolumeName(file.name)?.id ?? 0;
      const trash = file.isTrash ? ' in the trash' : '';
      const where = `disk ${file.disk}, file of volume ${numberInName}${trash}`;
      const facts = { volumeId: file.volumeId };
      if (file.print === '') continue; // A damaged beginning is for the scrubber to tell.
      const complaint = ((): FindingKind | undefined => {
        if (file.storeId !== storeId) return 'file-foreign';
        if (file.volumeId !== numberInName) return 'file-renamed';
        if (before !== undefined) {
          return before.print === '' || before.print === file.print ? undefined : 'file-unknown';
        }
        const isFine = isFirst || isExpected(file, { known, entries, highest });
        return isFine ? undefined : 'file-unknown';
      })();
      if (complaint === undefined) continue;
      unexplained.add(file);
      this.#report(complaint, where, facts);
    }
    return unexplained;
  }

  /** Of this store, as the first inventory found it; all volumes carry the same. */
  #storeId(there: readonly Known[]): string {
    const { store } = this.#parts;
    const known = store.findNote(ID, 'store');
    if (typeof known === 'string') return known;
    const counts = new Map<string, number>();
    for (const { storeId } of there) counts.set(storeId, (counts.get(storeId) ?? 0) + 1);
    const [most] = [...counts].filter(([id]) => id !== '').sort((a, b) => b[1] - a[1]);
    if (most !== undefined) store.putNote(ID, 'store', most[0]);
    return most?.[0] ?? '';
  }

  /** Volumes that others, or the metadata, speak of, and that no disk has. */
  async #judgeChain(
    there: readonly Known[], entries: readonly LedgerEntry[],
  ): Promise<void> {
    const present = new Set(there.map(({ volumeId }) => volumeId));
    const named = new Set(there.map(({ previousVolumeId }) => previousVolumeId));
    for (const id of (await this.#parts.marks?.())?.keys() ?? []) named.add(id);
    const told = new Set(this.#known().map(({ volumeId }) => volumeId));
    for (const volumeId of named) {
      if (volumeId === 0 || present.has(volumeId) || told.has(volumeId)) continue;
      // That a copy was erased says nothing of the volume.
      const last = entries.findLast((entry) =>
        entry.volumeId === volumeId && entry.act !== 'erase');
      const isExcused = last !== undefined && last.act !== 'restore' && last.act !== 'found';
      if (isExcused || this.#parts.disks().length === 0) continue;
      this.#report('file-missing', `any disk, volume ${volumeId}`, { volumeId });
    }
  }

  #report(kind: FindingKind, where: string, facts: Record<string, string | number>): void {
    this.#reports++;
    this.#parts.desk.report({ verifier: ID, kind, scope: SCOPE, where, facts });
  }
}

function keyOf({ disk, name }: { disk: string; name: string }): string {
  return `file/${disk}/${name}`;
}

/** A new volume has a number above all others; a new copy of a volume lies where others do, in use
 *  or in the trash; else the ledger must say why the file changed its place. */
function isExpected(
  file: Known,
  so: { known: readonly Known[]; entries: readonly LedgerEntry[]; highest: number },
): boolean {
  const { known, entries, highest } = so;
  if (!file.isTrash && file.volumeId > highest) return true;
  const isCopy = known.some(({ print, isTrash }) => print === file.print
    && isTrash === file.isTrash);
  if (isCopy) return true;
  const last = entries.findLast(({ volumeId, act }) => volumeId === file.volumeId
    && ['trash', 'restore', 'unlink'].includes(act));
  return last?.act === (file.isTrash ? 'trash' : 'restore');
}

async function headOf(
  disk: VerifiedDisk, name: string,
): Promise<Omit<Known, 'disk' | 'name' | 'isTrash' | 'ledgerNumber'> | undefined | 'gone'> {
  try {
    const bytes = await withVolume(disk.files, name, (file) => readAt(file, 0, HEAD_BYTES));
    const head = readHead(bytes);
    if (typeof head === 'string') return undefined;
    const { volumeId, storeId, previousVolumeId, generation } = head;
    // It lies in the notes, so it must not tell the seed, which keys the volume's commits.
    const print = `${storeId.slice(0, 8)}-${volumeId}-${generation}-${bytes.readUInt32LE(4092)}`;
    return { volumeId, storeId, previousVolumeId, print };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 'gone';
    throw error;
  }
}
