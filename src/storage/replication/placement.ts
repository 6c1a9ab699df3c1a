/**
 * On which disks the copies of a volume go.
 *
 * Each disk draws a number that depends on the volume and the disk alone, weighted with its free
 * space (the logarithm makes the chance to win proportional to the weight: "weighted rendezvous
 * hashing"). The best ones are taken, never two of one failure domain. So emptier disks get more,
 * the copies of a disk's volumes are spread over all others, and the same question has the same
 * answer.
 */
import { hash } from 'node:crypto';
import type { DiskLabels, DiskState, DomainLevel } from './volume-disk.ts';

export interface PlacementDisk {
  readonly id: string;
  readonly labels: DiskLabels;
  readonly state: DiskState;
  /** Does it answer at the moment? */
  readonly answers: boolean;
  /** It answers, and has refused writes again and again: it is left alone for a while. */
  readonly refuses?: boolean;
  readonly freeBytes: number;
}

export interface PlacementRequest {
  readonly volumeId: number;
  /** How many disks are wanted. */
  readonly copies: number;
  /** So many will do while no more domains take copies at all; not while they only lack room.
   *  Without it: `copies`. */
  readonly copiesMin?: number;
  readonly domain: DomainLevel;
  /** A disk with less room is not taken. */
  readonly roomBytes: number;
  readonly disks: readonly PlacementDisk[];
  /** Disks that hold a copy already and keep it: no new one goes into their domains. */
  readonly holders?: readonly string[];
}

export type Placement =
  /** `lacking`: fewer than wanted, and why. */
  | { readonly placed: true; readonly diskIds: readonly string[]; readonly lacking?: string }
  | { readonly placed: false; readonly why: 'full' | 'too-few'; readonly reason: string };

/** Pure. The order of `disks` does not matter. */
export function place(request: PlacementRequest): Placement {
  const { copies, copiesMin = copies, domain, disks, roomBytes } = request;
  const held = heldDomains(request);
  const free = disks.filter(({ labels }) => !held.has(labels[domain]));
  const ready = free.filter((disk) => isReady(disk));
  const roomy = ready.filter(({ freeBytes }) => freeBytes >= roomBytes && freeBytes > 0);
  // A full disk is no lost one: for what has no room for all of its copies there is no room.
  const wanted = Math.max(copiesMin, Math.min(copies, domainCount(ready, domain)));
  const byScore = roomy
    .map((disk) => ({ disk, score: score(request.volumeId, disk) }))
    .sort((a, b) => b.score - a.score || (a.disk.id < b.disk.id ? -1 : 1));
  const chosen: PlacementDisk[] = [];
  const used = new Set<string>();
  for (const { disk } of byScore) {
    if (chosen.length === wanted) break;
    if (used.has(disk.labels[domain])) continue;
    used.add(disk.labels[domain]);
    chosen.push(disk);
  }
  const why = domainCount(ready, domain) >= wanted ? 'full' : 'too-few';
  const candidates = { free, ready, roomy, held };
  if (chosen.length < wanted) {
    return { placed: false, why, reason: explain({ ...request, copies: wanted }, candidates) };
  }
  const diskIds = chosen.map(({ id }) => id);
  if (wanted === copies) return { placed: true, diskIds };
  return { placed: true, diskIds, lacking: explain(request, candidates) };
}

function isReady({ state, answers, refuses }: PlacementDisk): boolean {
  return state === 'active' && answers && refuses !== true;
}

function heldDomains({ disks, domain, holders = [] }: PlacementRequest): Set<string> {
  const held = disks.filter(({ id }) => holders.includes(id));
  return new Set(held.map(({ labels }) => labels[domain]));
}

/** Greater is better. -weight / ln(u) with u evenly spread over (0, 1). */
function score(volumeId: number, { id, freeBytes }: PlacementDisk): number {
  const drawn = hash('sha256', `${volumeId} ${id}`, 'buffer').readUIntBE(0, 6);
  return -freeBytes / Math.log((drawn + 0.5) / 2 ** 48);
}

function domainCount(disks: readonly PlacementDisk[], domain: DomainLevel): number {
  return new Set(disks.map(({ labels }) => labels[domain])).size;
}

interface Candidates {
  free: readonly PlacementDisk[];
  ready: readonly PlacementDisk[];
  roomy: readonly PlacementDisk[];
  held: ReadonlySet<string>;
}

/** For example: "2 copies need 2 hosts; only 1 host has room (1 disk is full, 1 is missing)". */
function explain(request: PlacementRequest, { free, ready, roomy, held }: Candidates): string {
  const { copies, domain } = request;
  const has = domainCount(roomy, domain);
  const more = held.size === 0 ? '' : 'more ';
  const wanted = `${counted(copies, `${more}copy`)} ${copies === 1 ? 'needs' : 'need'}`;
  const only = has === 0
    ? `no ${domain} has room` : `only ${counted(has, domain)} ${verb(has)} room`;
  const absent: string[] = [];
  const add = (count: number, what: string): void => {
    if (count > 0) absent.push(`${counted(count, 'disk')} ${count === 1 ? 'is' : 'are'} ${what}`);
  };
  add(ready.length - roomy.length, 'full');
  add(free.filter(({ state, answers }) => state === 'active' && !answers).length, 'not answering');
  add(free.filter((disk) => disk.state === 'active' && disk.answers && !isReady(disk)).length,
    'refusing writes');
  for (const state of ['missing', 'readonly', 'draining'] as const) {
    const word = state === 'readonly' ? 'read-only' : state;
    add(free.filter((disk) => disk.state === state).length, word);
  }
  if (held.size > 0) absent.push(`${counted(held.size, domain)} ${verb(held.size)} a copy already`);
  const why = absent.length === 0 ? '' : ` (${absent.join(', ')})`;
  return `${wanted} ${counted(copies, `${more}${domain}`)}; ${only}${why}`;
}

function verb(count: number): string {
  return count === 1 ? 'has' : 'have';
}

function counted(count: number, noun: string): string {
  if (count === 1) return `1 ${noun}`;
  return `${count} ${noun.endsWith('copy') ? noun.replace(/copy$/, 'copies') : `${noun}s`}`;
}
