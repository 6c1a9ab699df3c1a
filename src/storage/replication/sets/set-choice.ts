/**
 * Which volumes form a set, and on which disks its shards lie. Pure.
 *
 * All shards lie in different failure domains, and each volume keeps one of the copies that it has.
 * That is a matching of shards with domains. It grows by augmenting paths: what was matched before
 * may move, but never drops out, so taking the oldest volumes that fit is as good as any choice.
 */
import type { CodeShape } from '../../erasure/code-matrix.ts';
import type { PlacementDisk } from '../placement.ts';
import type { DomainLevel } from '../volume-disk.ts';

export interface SetCandidate {
  readonly volumeId: number;
  readonly sizeBytes: number;
  /** Where whole copies lie. */
  readonly diskIds: readonly string[];
}

export interface SetRequest {
  readonly shape: CodeShape;
  readonly domain: DomainLevel;
  /** Besides the parity itself. */
  readonly roomBytes: number;
  /** The first ones are preferred. */
  readonly candidates: readonly SetCandidate[];
  readonly disks: readonly PlacementDisk[];
}

export type SetChoice =
  | {
    readonly chosen: true;
    readonly volumes: readonly { readonly volumeId: number; readonly diskId: string }[];
    readonly parityDiskIds: readonly string[];
  }
  | { readonly chosen: false; readonly reason: string };

export function chooseSet(request: SetRequest): SetChoice {
  const { shape, domain, candidates } = request;
  const usable = request.disks.filter(({ state, answers, refuses }) =>
    state === 'active' && answers && refuses !== true);
  const domains = new Set(usable.map(({ labels }) => labels[domain])).size;
  const wanted = shape.data + shape.parity;
  const what = `a set of ${shape.data} volumes and ${shape.parity} parity files`;
  if (domains < wanted) {
    const reason = `${what} needs ${wanted} ${domain}s that take copies; there are ${domains}`;
    return { chosen: false, reason };
  }
  if (candidates.length < shape.data) {
    const reason = `${what} waits for ${shape.data - candidates.length} more cold volumes`;
    return { chosen: false, reason };
  }
  const neededBytes = request.roomBytes + Math.max(...candidates.map((one) => one.sizeBytes));
  const roomy = usable.filter(({ freeBytes }) => freeBytes >= neededBytes)
    .sort((a, b) => b.freeBytes - a.freeBytes || (a.id < b.id ? -1 : 1));
  const matching = new Matching(domain);
  for (let at = 0; at < shape.parity; at++) {
    if (matching.add(roomy)) continue;
    const reason = `${what} needs room for parity on ${shape.parity} ${domain}s; ${at} have it`;
    return { chosen: false, reason };
  }
  const volumes: SetCandidate[] = [];
  for (const candidate of candidates) {
    if (volumes.length === shape.data) break;
    if (matching.add(usable.filter(({ id }) => candidate.diskIds.includes(id)))) {
      volumes.push(candidate);
    }
  }
  if (volumes.length < shape.data) {
    const reason = `${what} needs volumes with copies in different ${domain}s, and room for `
      + `parity in others; only ${volumes.length} volumes fit together`;
    return { chosen: false, reason };
  }
  const diskIds = matching.diskIds();
  return {
    chosen: true,
    parityDiskIds: diskIds.slice(0, shape.parity),
    volumes: volumes.map(({ volumeId }, at) =>
      ({ volumeId, diskId: diskIds[shape.parity + at] as string })),
  };
}

/** Shards and failure domains, one of each for each other. */
export class Matching {
  readonly #domain: DomainLevel;
  /** Of each shard: the disks on which it may lie, the best first. */
  readonly #options: (readonly PlacementDisk[])[] = [];
  readonly #shardIn = new Map<string, number>();

  constructor(domain: DomainLevel) {
    this.#domain = domain;
  }

  /** Adds a shard if all of them can still lie in different domains. */
  add(options: readonly PlacementDisk[]): boolean {
    this.#options.push(options);
    if (this.#augment(this.#options.length - 1, new Set())) return true;
    this.#options.pop();
    return false;
  }

  diskIds(): string[] {
    const ids = new Array<string>(this.#options.length);
    for (const [domain, shard] of this.#shardIn) {
      const disk = this.#options[shard]?.find(({ labels }) => labels[this.#domain] === domain);
      ids[shard] = disk?.id ?? '';
    }
    return ids;
  }

  #augment(shard: number, visited: Set<string>): boolean {
    for (const { labels } of this.#options[shard] ?? []) {
      const domain = labels[this.#domain];
      if (visited.has(domain)) continue;
      visited.add(domain);
      const other = this.#shardIn.get(domain);
      if (other !== undefined && !this.#augment(other, visited)) continue;
      this.#shardIn.set(domain, shard);
      return true;
    }
    return false;
  }
}
