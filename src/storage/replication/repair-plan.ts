/** What a volume's copies need next. Pure: the worker asks again before each step. */
import type { CopyList } from './copy-list.ts';
import type { CopyState } from './copy-table.ts';
import { place, type PlacementDisk } from './placement.ts';
import type { ReplicationPolicy } from './volume-disk.ts';

export interface RepairSubject {
  readonly volumeId: number;
  readonly list: CopyList;
  readonly states: ReadonlyMap<string, CopyState>;
  readonly beingWritten: boolean;
  readonly sizeBytes: number;
  /** It is known up to where its bytes were acknowledged: a copy that has these has enough. */
  readonly isMarkExact: boolean;
}

export type RepairStep =
  | { readonly act: 'nothing' }
  /** No more batches may go into it before it is copied. */
  | { readonly act: 'close' }
  /** Compare the copy on a disk that was away. */
  | { readonly act: 'compare'; readonly diskId: string }
  | { readonly act: 'copy'; readonly sources: readonly string[]; readonly target: string }
  /** To the trash of its disk: enough others are whole. */
  | { readonly act: 'let-go'; readonly diskId: string }
  | { readonly act: 'wait'; readonly reason: string };

export interface RepairSurroundings {
  readonly disks: readonly PlacementDisk[];
  readonly policy: ReplicationPolicy;
  /** Besides the volume itself. */
  readonly roomBytes: number;
}

export function planRepair(subject: RepairSubject, around: RepairSurroundings): RepairStep {
  const { counted, wanted } = countCopies(subject, around);
  const enough = counted.length >= wanted;
  if (subject.beingWritten) return enough ? { act: 'nothing' } : end(subject, around, counted);
  const reachable = around.disks.filter(({ answers }) => answers).map(({ id }) => id);
  const inState = (...states: readonly CopyState[]): string[] =>
    reachable.filter((id) => {
      const state = subject.states.get(id);
      return state !== undefined && states.includes(state);
    });
  const [unchecked] = inState('unchecked');
  if (unchecked !== undefined) return { act: 'compare', diskId: unchecked };
  if (enough) return letGo(subject, around, counted);
  // All have missed something, perhaps nothing that counts: whoever copies makes sure of that.
  const isNoneBetter = [...subject.states.values()].every((state) => state === 'stale');
  const usable: CopyState[] = isNoneBetter && subject.isMarkExact ? ['stale'] : ['good', 'damaged'];
  return copy(subject, around, { counted, sources: inState(...usable) });
}

/** Of a volume that is being written and has too few copies. One that was opened with fewer, for
 *  lack of disks, goes on as long as no further copy could be made: ending it would help nobody. */
function end(
  { list, volumeId, sizeBytes }: RepairSubject,
  { disks, policy, roomBytes }: RepairSurroundings,
  counted: readonly string[],
): RepairStep {
  if (counted.length < list.copies) return { act: 'close' };
  const request = { volumeId, copies: 1, domain: policy.domain, roomBytes: roomBytes + sizeBytes };
  const placement = place({ ...request, disks, holders: counted });
  return placement.placed ? { act: 'close' } : { act: 'wait', reason: placement.reason };
}

function isMember({ list }: RepairSubject, diskId: string): boolean {
  return list.diskIds.includes(diskId);
}

/** Copies that count: good ones, on disks that stay, never two in one domain. A disk that is
 *  silent, but not missing yet, is expected back with what it had. */
export function countCopies(
  { list, states }: Pick<RepairSubject, 'list' | 'states'>,
  { disks, policy }: Pick<RepairSurroundings, 'disks' | 'policy'>,
): { counted: string[]; wanted: number } {
  const domains = new Set<string>();
  const counted: string[] = [];
  // Members first: a copy that was only found beside them is the one to be let go.
  const byRank = [...disks].sort((a, b) =>
    Number(list.diskIds.includes(b.id)) - Number(list.diskIds.includes(a.id))
    || (a.id < b.id ? -1 : 1));
  const wanted = Math.max(policy.copies, list.copies);
  for (const { id, labels, state, answers } of byRank) {
    const copy = states.get(id);
    if (copy !== 'good' && (copy !== 'unchecked' || answers)) continue;
    if (state !== 'active' && state !== 'readonly') continue;
    if (domains.has(labels[policy.domain]) || counted.length === wanted) continue;
    domains.add(labels[policy.domain]);
    counted.push(id);
  }
  return { counted, wanted: policy.copies };
}

/** What is left over when enough copies count. Never from a disk that cannot be written to. */
function letGo(
  { states }: RepairSubject,
  { disks }: RepairSurroundings,
  counted: readonly string[],
): RepairStep {
  for (const { id, state, answers } of disks) {
    if (!answers || counted.includes(id)) continue;
    if (state !== 'active' && state !== 'draining') continue;
    const copy = states.get(id) ?? 'differs';
    if (['good', 'stale', 'damaged'].includes(copy)) return { act: 'let-go', diskId: id };
  }
  return { act: 'nothing' };
}

function copy(
  subject: RepairSubject,
  { disks, policy, roomBytes }: RepairSurroundings,
  { counted, sources }: { counted: readonly string[]; sources: readonly string[] },
): RepairStep {
  const { volumeId, states, sizeBytes } = subject;
  if (sources.length === 0) return { act: 'wait', reason: 'no whole copy can be reached' };
  const byTrust = [...sources].sort((a, b) =>
    Number(states.get(a) !== 'good') - Number(states.get(b) !== 'good') || (a < b ? -1 : 1));
  // A copy that differs is kept where it is: its name is taken.
  const candidates = disks.filter(({ id }) => states.get(id) !== 'differs');
  const taken = heldDomains(disks, counted, policy);
  const needed = roomBytes + sizeBytes;
  const mendable = candidates.filter(({ id, labels, state, answers, refuses, freeBytes }) =>
    state === 'active' && answers && refuses !== true && freeBytes >= needed
    && !taken.has(labels[policy.domain])
    && ['stale', 'damaged'].includes(states.get(id) ?? '') && isMember(subject, id));
  const [mend] = mendable;
  if (mend !== undefined) return { act: 'copy', sources: byTrust, target: mend.id };
  const request = { volumeId, copies: 1, domain: policy.domain, roomBytes: needed };
  const placement = place({ ...request, disks: candidates, holders: counted });
  if (!placement.placed) return { act: 'wait', reason: placement.reason };
  return { act: 'copy', sources: byTrust, target: placement.diskIds[0] as string };
}

function heldDomains(
  disks: readonly PlacementDisk[],
  ids: readonly string[],
  { domain }: ReplicationPolicy,
): Set<string> {
  return new Set(disks.filter(({ id }) => ids.includes(id)).map(({ labels }) => labels[domain]));
}
