/**
 * Makes sets of cold volumes, one after the other. Nothing is queued: which volumes are cold is
 * worked out anew each time, and parity that was begun when the program stopped is begun again.
 */
import { hash } from 'node:crypto';
import { HoldfastError } from '../../../base/errors.ts';
import { errorCode } from '../../backends/local/volume-files.ts';
import { encodeErasureSet, type DataVolume } from '../../erasure/set-encoder.ts';
import { CHUNK_BYTES, parityName, type SetFacts } from '../../erasure/set-layout.ts';
import { firstFault, readHead, withCopy } from '../copy-examination.ts';
import type { VolumeCopies } from '../copy-table.ts';
import { identify } from '../copy-volume.ts';
import type { DiskLink } from '../disk-link.ts';
import { volumeName } from '../file-names.ts';
import { countCopies } from '../repair-plan.ts';
import { LinkFiles } from './link-files.ts';
import { chooseSet, type SetCandidate } from './set-choice.ts';
import type { ErasurePolicy, SetParts } from './set-parts.ts';
import type { SetRecord } from './set-record.ts';
import { KnownSet } from './set-table.ts';

const OP = 'storage/ErasureSets.make';

interface Head {
  readonly createdMs: number;
  readonly seed: string;
  readonly storeId: Buffer;
}

interface ChosenVolume {
  readonly copies: VolumeCopies;
  readonly link: DiskLink;
  readonly head: Head;
}

export class SetMaker {
  readonly #parts: SetParts;
  readonly #erasure: ErasurePolicy;
  /** By volume. A sealed volume does not change; those that are no more are dropped. */
  readonly #heads = new Map<number, Head>();
  /** Of the set that is being made: its parity files are no leftovers. */
  underWay: number | undefined;
  /** Why no set is made at the moment. */
  reason: string | undefined;

  constructor(parts: SetParts, erasure: ErasurePolicy) {
    this.#parts = parts;
    this.#erasure = erasure;
  }

  /** One set, if there is something to make it of. Then all of its parity files are there, durable
   *  and proven; no copy has been let go. @throws what disks say, and the signal's reason. */
  async make(signal: AbortSignal): Promise<KnownSet | undefined> {
    const { sets } = this.#parts;
    const plan = await this.#plan();
    if (plan === undefined) return undefined;
    const number = sets.lastNumber + 1;
    sets.lastNumber = number;
    this.underWay = number;
    try {
      return await this.#encode(number, plan, signal);
    } finally {
      this.underWay = undefined;
    }
  }

  async #plan() {
    const { links, files, policy, roomBytes } = this.#parts;
    const away = links.find(({ inUse, state, silentSinceMs }) => state !== 'retired'
      && (!inUse || silentSinceMs !== undefined));
    // A disk that is away may know of a set of that number.
    if (away !== undefined) return this.#wait(`disk ${away.id} does not answer`);
    const disks = await files.placementDisks();
    const candidates = await this.#candidates();
    const { data, parity } = this.#erasure;
    const choice = chooseSet({
      shape: { data, parity }, domain: policy.domain, roomBytes, candidates, disks,
    });
    if (!choice.chosen) return this.#wait(choice.reason);
    this.reason = undefined;
    const volumes = choice.volumes.map(({ volumeId, diskId }) => ({
      copies: this.#parts.copies.find(volumeId) as VolumeCopies,
      link: this.#link(diskId), head: this.#heads.get(volumeId) as Head,
    }));
    return { volumes, parity: choice.parityDiskIds.map((id) => this.#link(id)) };
  }

  #wait(reason: string): undefined {
    this.reason = reason;
  }

  /** Sealed long enough ago, whole on all of its disks, in no set. The oldest first. */
  async #candidates(): Promise<SetCandidate[]> {
    const { clock, copies: table } = this.#parts;
    const all = table.all();
    for (const volumeId of this.#heads.keys()) {
      if (table.find(volumeId) === undefined) this.#heads.delete(volumeId);
    }
    const found: SetCandidate[] = [];
    for (const [at, copies] of all.entries()) {
      const next = all[at + 1];
      if (next === undefined || !this.#isSettled(copies)) continue;
      // The next volume was begun when this one was full, or later.
      const head = await this.#head(copies);
      const sealedMs = (await this.#head(next))?.createdMs;
      if (head === undefined || sealedMs === undefined) continue;
      if (clock.now() - sealedMs < this.#erasure.afterMs) continue;
      const { volumeId, sizeBytes, good: diskIds } = copies;
      found.push({ volumeId, sizeBytes, diskIds });
    }
    return found;
  }

  #isSettled(copies: VolumeCopies): boolean {
    const { links, sets, policy } = this.#parts;
    const { volumeId, states, good, trailerBytes, writers, unproven } = copies;
    if (trailerBytes === undefined || writers > 0 || unproven.size > 0) return false;
    if (sets.find(volumeId) !== undefined || sets.leaving.has(volumeId)) return false;
    if (good.length !== states.size) return false;
    const holders = links.filter(({ id }) => states.has(id));
    const allTake = holders.every(({ state, silentSinceMs }) =>
      state === 'active' && silentSinceMs === undefined);
    const disks = holders.map(({ id, labels, state }) =>
      ({ id, labels, state, answers: true, freeBytes: 0 }));
    return allTake && countCopies(copies, { disks, policy }).counted.length >= policy.copies;
  }

  async #head(copies: VolumeCopies): Promise<Head | undefined> {
    const { volumeId } = copies;
    const known = this.#heads.get(volumeId);
    if (known !== undefined) return known;
    const link = this.#parts.links.find(({ id, inUse, silentSinceMs }) =>
      copies.isGood(id) && inUse && silentSinceMs === undefined);
    if (link === undefined) return undefined;
    const { superblock } = await readHead(link, volumeId);
    if (typeof superblock === 'string') return undefined;
    const { createdMs, seed, storeId } = superblock;
    const head = { createdMs, seed: seed.toString('hex'), storeId };
    this.#heads.set(volumeId, head);
    return head;
  }

  async #encode(
    number: number,
    { volumes, parity }: { volumes: readonly ChosenVolume[]; parity: readonly DiskLink[] },
    signal: AbortSignal,
  ): Promise<KnownSet> {
    const { pace, random, clock } = this.#parts;
    const data: DataVolume[] = [];
    for (const { copies, link } of volumes) {
      const { volumeId } = copies;
      const hashes = await this.#compareCopies(copies, link, signal);
      const place = { files: new LinkFiles(link), name: volumeName(volumeId) };
      data.push({ place, volume: volumeId, generation: 1, hashes });
    }
    const storeId = (volumes[0] as ChosenVolume).head.storeId;
    const { facts } = await encodeErasureSet({
      number, id: random.bytes(16), storeId, createdAt: clock.now(), data,
      parity: parity.map((link, at) =>
        ({ files: new LinkFiles(link), name: parityName(number, volumes.length + at) })),
    }, { signal, pace: (bytes) => pace.take(bytes) });
    return this.#register(facts, volumes, parity);
  }

  /** Reads all copies, whole. Answers the SHA-256 of each MiB, as all of them have it.
   *  @throws corrupt: they are not alike, or not sound; repair looks into those that are not. */
  async #compareCopies(
    copies: VolumeCopies, home: DiskLink, signal: AbortSignal,
  ): Promise<Buffer> {
    const { volumeId } = copies;
    const name = volumeName(volumeId);
    const identity = await identify({ volumeId, sources: [home], known: copies });
    const faultOn = async (link: DiskLink): ReturnType<typeof firstFault> => {
      await this.#parts.pace.take(copies.sizeBytes);
      return withCopy(link, name, (file) => firstFault(file, identity));
    };
    const others = this.#parts.links.filter(({ id }) => id !== home.id && copies.isGood(id));
    const isSound = await faultOn(home) === undefined;
    if (!isSound) copies.demote(home.id, others.length > 0 ? 'unchecked' : 'damaged');
    const hashes = await this.#hashesOf(home, volumeId, signal);
    let isAlike = isSound;
    for (const link of isSound ? others : []) {
      if (hashes.equals(await this.#hashesOf(link, volumeId, signal))) continue;
      // With bytes of its own that mean nothing it would never be found to be wrong.
      copies.demote(link.id, await faultOn(link) === undefined ? 'damaged' : 'unchecked');
      isAlike = false;
    }
    if (isAlike) return hashes;
    const message = 'The copies of a volume are not alike. They are compared and repaired first.';
    throw new HoldfastError('corrupt', OP, message, { facts: { volumeId, diskId: home.id } });
  }

  async #hashesOf(link: DiskLink, volumeId: number, signal: AbortSignal): Promise<Buffer> {
    return withCopy(link, volumeName(volumeId), async (file) => {
      const hashes: Buffer[] = [];
      const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
      for (let at = 0, filled = CHUNK_BYTES; filled === CHUNK_BYTES; at += filled) {
        signal.throwIfAborted();
        await this.#parts.pace.take(CHUNK_BYTES);
        filled = await file.read(chunk, at);
        if (filled > 0) hashes.push(hash('sha256', chunk.subarray(0, filled), 'buffer'));
      }
      return Buffer.concat(hashes);
    });
  }

  /** Nothing may come between this look and the entry into the table: from then on no volume of the
   *  set leaves. */
  #register(
    facts: SetFacts, volumes: readonly ChosenVolume[], parity: readonly DiskLink[],
  ): KnownSet {
    const { copies: table, sets } = this.#parts;
    for (const { copies, link } of volumes) {
      const { volumeId } = copies;
      const isSame = table.find(volumeId) === copies && copies.isGood(link.id)
        && !sets.leaving.has(volumeId) && link.state === 'active';
      if (isSame) continue;
      const message = 'A volume has changed while its set was made. It is tried again.';
      throw new HoldfastError('conflict', OP, message, { facts: { volumeId } });
    }
    const record: SetRecord = {
      number: facts.number, generation: 1, state: 'live', setId: facts.id.toString('hex'),
      storeId: facts.storeId.toString('hex'), parityDiskIds: parity.map(({ id }) => id),
      volumes: volumes.map(({ copies, link, head }, shard) => ({
        volumeId: copies.volumeId, sizeBytes: facts.shards[shard]?.lengthBytes ?? 0,
        seed: head.seed, diskId: link.id,
      })),
    };
    const set = new KnownSet(record);
    for (const [at, { id }] of parity.entries()) {
      set.parity.get(volumes.length + at)?.set(id, 'good');
    }
    set.isProven = true;
    sets.add(set);
    return set;
  }

  #link(diskId: string): DiskLink {
    const link = this.#parts.links.find(({ id }) => id === diskId);
    if (link === undefined) throw new Error('a disk that is not configured');
    return link;
  }
}

/** For people: why it did not work. */
export function reasonOf(error: unknown): string {
  if (error instanceof HoldfastError) return error.message;
  const code = errorCode(error);
  return code === 'unknown' && error instanceof Error ? error.message : code;
}
