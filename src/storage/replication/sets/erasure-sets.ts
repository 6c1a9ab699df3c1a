/**
 * All erasure sets of a store: what reading, repair, compaction and the commands for disks ask
 * about them, and the work on them. README.md here.
 */
import { parityName, parseParityName } from '../../erasure/set-layout.ts';
import { removeIfThere, replaceSmall } from '../checked-json.ts';
import type { DiskLink } from '../disk-link.ts';
import { SetKeeper, trashParity, type SeenNames } from './set-keeper.ts';
import { reasonOf, SetMaker } from './set-maker.ts';
import { parseParityDraft, parseRecordName, recordName, setNumberOf } from './set-names.ts';
import { dueTrash, eraseTrash } from './set-trash.ts';
import type { ErasurePolicy, SetParts } from './set-parts.ts';
import { isNewer, readRecord } from './set-survey.ts';
import { encodeSetRecord } from './set-record.ts';

/** All sets of one shape. */
export interface SetKind {
  readonly data: number;
  readonly parity: number;
  readonly volumes: number;
  /** Of the volumes, without parity. */
  readonly volumeBytes: number;
}

export interface SetStatus {
  readonly sets: number;
  /** Whose volumes are getting their copies back. */
  readonly ending: number;
  /** Sets for which nothing can be done at the moment. */
  readonly blocked: readonly { readonly set: number; readonly reason: string }[];
  /** Undefined: no new ones are made, by the settings. */
  readonly making: { readonly underWay: boolean; readonly reason: string | undefined } | undefined;
}

export class ErasureSets {
  readonly #parts: SetParts;
  readonly #keeper: SetKeeper;
  readonly #maker: SetMaker | undefined;
  readonly #aborter = new AbortController();
  #making: Promise<void> | undefined;

  /** Without `erasure` no new sets are made; those that there are go on. */
  constructor(parts: SetParts, erasure?: ErasurePolicy) {
    this.#parts = parts;
    this.#keeper = new SetKeeper(parts, () => this.#aborter.signal.aborted);
    this.#maker = erasure && new SetMaker(parts, erasure);
  }

  /** See SetView. */
  keeps(volumeId: number): boolean {
    return this.#parts.view.keeps(volumeId);
  }

  status(): SetStatus {
    const sets = this.#parts.sets.all();
    return {
      sets: sets.length,
      ending: sets.filter(({ record }) => record.state === 'dissolving').length,
      blocked: [...this.#keeper.blocked].map(([set, reason]) => ({ set, reason })),
      making: this.#maker && {
        underWay: this.#maker.underWay !== undefined, reason: this.#maker.reason,
      },
    };
  }

  /** What there is, by shape: for whoever reckons how safe it is. Sets that end are left out. */
  kinds(): SetKind[] {
    const kinds = new Map<string, SetKind>();
    for (const { record: { state, volumes, parityDiskIds } } of this.#parts.sets.all()) {
      if (state !== 'live') continue;
      const [data, parity] = [volumes.length, parityDiskIds.length];
      const bytes = volumes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      const known = kinds.get(`${data} ${parity}`);
      kinds.set(`${data} ${parity}`, {
        data, parity, volumes: (known?.volumes ?? 0) + data,
        volumeBytes: (known?.volumeBytes ?? 0) + bytes,
      });
    }
    return [...kinds.values()];
  }

  /** Looks at all disks and all sets, and begins to make a new one unless one is being made.
   *  `isBusy`: repairs have to be done, no set is made now. Never rejects. */
  async sweep(isBusy: boolean): Promise<void> {
    const seen = await this.#look();
    for (const set of this.#parts.sets.all()) await this.#keeper.keep(set, seen);
    await this.#tidy(seen).catch(() => undefined); // The next sweep tries again.
    if (this.#maker === undefined || isBusy || this.#aborter.signal.aborted) return;
    this.#making ??= this.#make(this.#maker).finally(() => {
      this.#making = undefined;
    });
  }

  /** Resolves when no set is being made any more. */
  async settled(): Promise<void> {
    await this.#making;
  }

  /** What is being made is given up: its parity goes at the next start. */
  async stop(): Promise<void> {
    this.#aborter.abort();
    await this.#making;
    await this.#parts.access.close();
  }

  async #make(maker: SetMaker): Promise<void> {
    try {
      const made = await maker.make(this.#aborter.signal);
      if (made === undefined) return;
      const detail = `set ${made.record.number}: volumes `
        + made.record.volumes.map(({ volumeId }) => volumeId).join(' ');
      this.#parts.onFinding({ kind: 'set-made', volumeId: 0, detail });
    } catch (error) {
      if (this.#aborter.signal.aborted) return;
      maker.reason = reasonOf(error);
      this.#parts.onFinding({ kind: 'set-not-made', volumeId: 0, detail: maker.reason });
    }
  }

  /** Which parity files there are. Undefined where a disk does not answer. */
  async #look(): Promise<SeenNames> {
    const seen = new Map<DiskLink, readonly string[] | undefined>();
    for (const link of this.#parts.links) {
      if (link.state === 'retired') {
        this.#forgetParity(link.id);
        continue;
      }
      const answers = link.inUse && link.silentSinceMs === undefined;
      const names = answers
        ? await link.call(0, (files) => files.list()).catch(() => undefined) : undefined;
      seen.set(link, names);
      if (names !== undefined) this.#noteParity(link, names);
      else if (link.state === 'missing') this.#doubtParity(link.id);
    }
    return seen;
  }

  #noteParity({ id: diskId }: DiskLink, names: readonly string[]): void {
    const there = new Set(names);
    const { sets } = this.#parts;
    for (const name of names) sets.lastNumber = Math.max(sets.lastNumber, setNumberOf(name) ?? 0);
    for (const { record, parity } of this.#parts.sets.all()) {
      for (const [shard, states] of parity) {
        const isThere = there.has(parityName(record.number, shard));
        if (isThere && !states.has(diskId)) states.set(diskId, 'unchecked');
        if (isThere || !states.delete(diskId)) continue;
        const detail = `set ${record.number}: shard ${shard}`;
        this.#parts.onFinding({ kind: 'parity-lost', volumeId: 0, diskId, detail });
      }
    }
  }

  #forgetParity(diskId: string): void {
    for (const { parity } of this.#parts.sets.all()) {
      for (const states of parity.values()) states.delete(diskId);
    }
  }

  /** When it comes back it is compared. */
  #doubtParity(diskId: string): void {
    for (const { parity } of this.#parts.sets.all()) {
      for (const states of parity.values()) {
        if (states.get(diskId) === 'good') states.set(diskId, 'unchecked');
      }
    }
  }

  /** Parity that nobody refers to, and records of sets that are no more. While a disk is silent it
   *  may know of a set that the others do not know of. */
  async #tidy(seen: SeenNames): Promise<void> {
    const { sets, clock, onFinding } = this.#parts;
    if ([...seen.values()].some((names) => names === undefined)) return;
    const busy = new Set<number>(sets.all().map(({ record }) => record.number));
    // A disk that came back may know of a set that this program does not know: the next start does.
    for (const name of [...seen.values()].flatMap((names) => names ?? [])) {
      const number = parseRecordName(name);
      if (number !== undefined && !sets.dissolved.has(number)) busy.add(number);
    }
    if (this.#maker?.underWay !== undefined) busy.add(this.#maker.underWay);
    for (const [link, names = []] of seen) {
      if (!link.takesWrites) continue;
      for (const name of names) {
        const draft = parseParityDraft(name);
        if (draft !== undefined && !busy.has(draft.number)) {
          await link.call(0, (files) => removeIfThere(files, name));
        }
        const parity = parseParityName(name);
        if (parity === undefined || busy.has(parity.number)) continue;
        const ended = sets.dissolved.get(parity.number);
        if (ended !== undefined && !await this.#keeper.areWhole(ended)) continue;
        await trashParity(link, name, clock.now());
        const detail = `set ${parity.number}: shard ${parity.shard}, which no set needs`;
        onFinding({ kind: 'parity-let-go', volumeId: 0, diskId: link.id, detail });
      }
    }
    await this.#eraseOrphans(seen);
    await this.#dropRecords(seen);
  }

  /** Parity of sets that are no more: nothing refers to it, and its volumes have their copies. */
  async #eraseOrphans(seen: SeenNames): Promise<void> {
    const { sets, clock } = this.#parts;
    const none: ReadonlySet<number> = new Set();
    for (const [link, names = []] of seen) {
      if (!link.takesWrites) continue;
      for (const setNumber of new Set(names.map(setNumberOf))) {
        const isKnown = names.includes(recordName(setNumber ?? 0));
        if (setNumber === undefined || sets.get(setNumber) !== undefined || isKnown) continue;
        await eraseTrash(link, dueTrash(names, { volumeIds: none, setNumber }, clock.now()));
      }
    }
  }

  /** First all of them say that the set is no more; only then do they say nothing. */
  async #dropRecords(seen: SeenNames): Promise<void> {
    const { sets } = this.#parts;
    const holders = new Map<number, DiskLink[]>();
    for (const [link, names = []] of seen) {
      for (const number of names.map(parseRecordName)) {
        if (number === undefined || sets.get(number) !== undefined) continue;
        holders.set(number, [...(holders.get(number) ?? []), link]);
      }
    }
    for (const [number, links] of holders) {
      const record = sets.dissolved.get(number);
      if (record === undefined) continue;
      const hasParity = [...seen.values()].some((names) => names?.some((name) =>
        parseParityName(name)?.number === number));
      if (hasParity || !links.every(({ takesWrites }) => takesWrites)) continue;
      const name = recordName(number);
      const bytes = encodeSetRecord(record);
      for (const link of links) {
        if (!isNewer(record, await readRecord(link, name, number))) continue;
        await link.call(0, (files) => replaceSmall(files, name, bytes));
      }
      for (const link of links) {
        await link.call(0, async (files) => {
          await removeIfThere(files, name);
          await files.syncFolder();
        });
      }
      sets.dissolved.delete(number);
    }
  }

  /** Parity files on a disk that no other disk has. */
  parityOn(diskId: string): number {
    let count = 0;
    for (const { parity } of this.#parts.sets.all()) {
      for (const states of parity.values()) {
        const others = [...states].filter(([id, state]) => id !== diskId && state === 'good');
        if (states.has(diskId) && others.length === 0) count++;
      }
    }
    return count;
  }

  /** Can the volume be computed, without its own file, from disks that answer, but for this one? */
  isDecodableWithout(diskId: string, volumeId: number): boolean {
    const set = this.#parts.sets.find(volumeId);
    if (set === undefined) return false;
    const others = this.#parts.links.filter(({ id, inUse, silentSinceMs }) =>
      id !== diskId && inUse && silentSinceMs === undefined);
    const shards = this.#keeper.shardsOn(set, others.map(({ id }) => id));
    const hasParity = shards.some((shard) => shard >= set.data);
    const own = set.shardOf(volumeId);
    return hasParity && shards.filter((shard) => shard !== own).length >= set.data;
  }

  /** Why shards on that disk would find no place elsewhere; for how many sets each. */
  async reasonsToStay(diskId: string): Promise<Map<string, number>> {
    const reasons = new Map<string, number>();
    for (const set of this.#parts.sets.all()) {
      if (this.#keeper.shardsOn(set, [diskId]).length === 0) continue;
      const reason = await this.#keeper.reasonToStay(set, diskId);
      if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    return reasons;
  }
}
