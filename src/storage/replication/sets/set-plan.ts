/** What an erasure set needs next. Pure: the keeper asks again before each step. */
import type { CopyState } from '../copy-table.ts';
import { place, type PlacementDisk } from '../placement.ts';
import type { DomainLevel } from '../volume-disk.ts';
import { Matching } from './set-choice.ts';

/** More than any set has: so that no two shards draw the same disks. */
const SHARDS_MAX = 32;

export interface ShardSubject {
  readonly shard: number;
  /** For each disk on which there is a file: how it is. */
  readonly states: ReadonlyMap<string, CopyState>;
  /** Where it belongs. */
  readonly home: string;
  /** Of the file. */
  readonly sizeBytes: number;
}

export interface SetSubject {
  readonly number: number;
  readonly state: 'live' | 'dissolving';
  /** Data first, then parity. */
  readonly shards: readonly ShardSubject[];
  readonly data: number;
  /** See KnownSet. */
  readonly isProven: boolean;
  /** Its record is on all of its disks. */
  readonly isRecorded: boolean;
  readonly isToDissolve: boolean;
}

export type SetStep =
  | { readonly act: 'nothing' }
  /** Compare a file with the set's checksums. */
  | { readonly act: 'check'; readonly shard: number; readonly diskId: string }
  /** Make a shard anew. */
  | { readonly act: 'make'; readonly shard: number; readonly target: string }
  /** Read and decode all of it. */
  | { readonly act: 'prove' }
  | { readonly act: 'let-go'; readonly shard: number; readonly diskId: string }
  /** Its volumes are to get their copies back. */
  | { readonly act: 'dissolve'; readonly reason: string }
  | { readonly act: 'wait'; readonly reason: string };

export interface SetSurroundings {
  readonly disks: readonly PlacementDisk[];
  readonly domain: DomainLevel;
  /** Besides the shard itself. */
  readonly roomBytes: number;
}

export function planSet(subject: SetSubject, around: SetSurroundings): SetStep {
  const { disks } = around;
  const answering = new Set(disks.filter(({ answers }) => answers).map(({ id }) => id));
  for (const { shard, states } of subject.shards) {
    for (const [diskId, state] of states) {
      if (state === 'unchecked' && answering.has(diskId)) return { act: 'check', shard, diskId };
    }
  }
  if (subject.state === 'dissolving') return rescue(subject, around);
  if (subject.isToDissolve) return { act: 'dissolve', reason: 'one of its volumes is to go' };
  const speaks = subject.shards.slice(subject.data).some(({ states }) =>
    disks.some(({ id, state }) => state !== 'missing' && ['good', 'unchecked'].includes(
      states.get(id) ?? '')));
  if (!speaks) return { act: 'dissolve', reason: 'no parity file of it is left' };
  const counted = countShards(subject, around);
  const lacking = subject.shards.filter((_, at) => counted[at] === undefined);
  const { number } = subject;
  const steps = lacking.map((shard) => make({ ...shard, number }, counted, around));
  const step = steps.find(({ act }) => act === 'make') ?? steps[0];
  return step ?? letGo(subject, around, counted as string[]);
}

/** For each shard the disk on which it counts: sound, staying, and in a domain of its own. A disk
 *  that is silent, but not missing yet, is expected back with what it had. */
export function countShards(
  { shards }: Pick<SetSubject, 'shards'>,
  { disks, domain }: Pick<SetSurroundings, 'disks' | 'domain'>,
): (string | undefined)[] {
  const matching = new Matching(domain);
  const matched: number[] = [];
  for (const [at, { states, home }] of shards.entries()) {
    const options = disks.filter(({ id, state, answers }) => {
      const stays = state === 'active' || state === 'readonly';
      const copy = states.get(id);
      return stays && (copy === 'good' || (copy === 'unchecked' && !answers));
    });
    const rank = ({ id, answers }: PlacementDisk): number =>
      (answers ? 0 : 2) + Number(id !== home);
    if (matching.add([...options].sort((a, b) => rank(a) - rank(b)))) matched.push(at);
  }
  const counted = new Array<string | undefined>(shards.length).fill(undefined);
  for (const [number, diskId] of matching.diskIds().entries()) {
    counted[matched[number] as number] = diskId;
  }
  return counted;
}

/** A set that ends helps its volumes as long as one of them has no whole file. */
function rescue(subject: SetSubject, around: SetSurroundings): SetStep {
  const { disks } = around;
  for (const shard of subject.shards.slice(0, subject.data)) {
    const isThere = disks.some(({ id, state, answers }) => state !== 'missing'
      && (shard.states.get(id) === 'good' || (shard.states.get(id) === 'unchecked' && !answers)));
    if (!isThere) return make({ ...shard, number: subject.number }, [], around);
  }
  return { act: 'nothing' };
}

function make(
  { shard, states, sizeBytes, home, number }: ShardSubject & Pick<SetSubject, 'number'>,
  counted: readonly (string | undefined)[],
  { disks, domain, roomBytes }: SetSurroundings,
): SetStep {
  const holders = counted.filter((id) => id !== undefined);
  const taken = new Set(disks.filter(({ id }) => holders.includes(id))
    .map(({ labels }) => labels[domain]));
  const neededBytes = roomBytes + sizeBytes;
  // A file that differs is kept where it is: its name is taken.
  const candidates = disks.filter(({ id }) => states.get(id) !== 'differs');
  const mendable = candidates.filter(({ id, state, answers, refuses, labels, freeBytes }) =>
    state === 'active' && answers && refuses !== true && freeBytes >= neededBytes
    && !taken.has(labels[domain]) && ['damaged', 'stale'].includes(states.get(id) ?? ''))
    .sort((a, b) => Number(b.id === home) - Number(a.id === home));
  const [mend] = mendable;
  if (mend !== undefined) return { act: 'make', shard, target: mend.id };
  const placement = place({
    volumeId: number * SHARDS_MAX + shard, copies: 1, domain, roomBytes: neededBytes, holders,
    disks: candidates,
  });
  if (!placement.placed) return { act: 'wait', reason: placement.reason };
  return { act: 'make', shard, target: placement.diskIds[0] as string };
}

/** What is left over when all shards count: copies from before the set, files that were replaced,
 *  and what is on disks that drain. */
function letGo(
  { shards, isProven, isRecorded }: SetSubject,
  { disks }: SetSurroundings,
  counted: readonly string[],
): SetStep {
  const byId = new Map(disks.map((disk) => [disk.id, disk]));
  const allAnswer = counted.every((id) => byId.get(id)?.answers === true);
  for (const [at, { shard, states }] of shards.entries()) {
    for (const [diskId, copy] of states) {
      const disk = byId.get(diskId);
      if (diskId === counted[at] || disk?.answers !== true || copy === 'differs') continue;
      if (disk.state !== 'active' && disk.state !== 'draining') continue;
      if (!allAnswer) return { act: 'wait', reason: 'a disk of the set does not answer' };
      if (!isRecorded) return { act: 'wait', reason: 'not all disks of the set could be told' };
      if (!isProven) return { act: 'prove' };
      return { act: 'let-go', shard, diskId };
    }
  }
  return { act: 'nothing' };
}
