/**
 * Which copies of a volume are right, and what is to be done about the others.
 *
 * A sealed copy is final: whoever wrote its footer knew everything that was acknowledged. Without
 * one, the longest sound walk from the start wins, provided that enough copies were seen: of every
 * acknowledged batch at least W of N copies exist, so at least one is among any N - W + 1 copies.
 * All others must be a beginning of the winner; if one is not, two histories were written, and
 * nobody may choose between them but the witness. Nothing is written here.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { VolumePosition } from '../backends/local/hint-file.ts';
import { SUPERBLOCK_BYTES, type Superblock } from '../backends/local/record-codec.ts';
import type { VolumeFile } from '../backends/local/volume-files.ts';
import type { ScanResult } from '../backends/local/volume-scan.ts';
import {
  hasCommitAt, isRottenFrom, isBatchSoundBefore, readHint, startOf, startOfBatchBefore, walkCopy,
  withCopy, type CopyHead,
} from './copy-examination.ts';
import type { CopyFinding } from './copy-findings.ts';
import type { CopyList } from './copy-list.ts';
import type { CopyState } from './copy-table.ts';
import type { DiskLink } from './disk-link.ts';
import { volumeName } from './file-names.ts';
import type { SurveyedVolume } from './survey.ts';
import { copiesToTrust } from './volume-disk.ts';

const OP = 'storage/ReplicatedVolumeFiles.open';

/** A longer missing end is not put right in place: the copy is made anew while the store works. */
const TAIL_BYTES_MAX = 64 * 1024 ** 2;

export interface Judgement {
  readonly volumeId: number;
  readonly list: CopyList;
  readonly states: Map<DiskLink, CopyState>;
  readonly sizeBytes: number;
  /** Up to here its bytes were acknowledged, or count as if they were from now on. */
  readonly markEnd: number;
  /** Of a sealed volume. */
  readonly trailerBytes: Buffer | undefined;
  /** Ends of unsealed copies to be made alike, before anything is added to them. */
  readonly tails: TailFix[];
  /** No copy is whole, but together they are: up to here. */
  readonly merge: VolumePosition | undefined;
  /** Whose hint the walks began with. */
  readonly hint: DiskLink | undefined;
  readonly findings: CopyFinding[];
}

export interface TailFix {
  readonly link: DiskLink;
  /** The copy is right up to here. */
  readonly soundEnd: number;
  /** From here on to `end` it is written… */
  readonly start: number;
  /** …with the bytes of this one; its own if it lacks none. They are its last batch then: a sync of
   *  that may have failed on this disk alone, and a program that was killed leaves in the system's
   *  memory what will never get to the disk. Another's bytes would spread what is wrong there. */
  readonly from: DiskLink;
  readonly end: number;
}

export interface JudgementInput {
  readonly volume: SurveyedVolume;
  /** Of the volume, or what is taken for it when there is none. */
  readonly list: CopyList;
  /** Up to here its bytes are known to have been acknowledged. */
  readonly markEnd: number;
  /** Disks of the list that do not answer; retired ones are not among them. */
  readonly silentMembers: number;
  /** All disks that do not answer. */
  readonly silentDisks: number;
}

/** @throws corrupt: copies differ and nothing decides, or all superblocks are damaged; unavailable:
 *  too few copies can be seen, or what is missing here may lie on a disk that does not answer. */
export async function judgeVolume(input: JudgementInput): Promise<Judgement> {
  const { list } = input;
  let { volume, silentMembers } = input;
  // Each round either ends it or leaves out one copy more.
  for (;;) {
    try {
      return await judgeSeen({ ...input, volume, silentMembers });
    } catch (error) {
      if (!(error instanceof UnreadableCopyError)) throw error;
      const { link } = error;
      const silent = link.silentSinceMs !== undefined;
      if (silent && list.diskIds.includes(link.id)) silentMembers++;
      const unreadable = silent ? volume.unreadable : [...volume.unreadable, link];
      const heads = volume.heads.filter((head) => head.link !== link);
      volume = { ...volume, heads, unreadable };
    }
  }
}

/** A copy that could be opened before, and cannot be read now. */
class UnreadableCopyError extends Error {
  override readonly name = 'UnreadableCopyError';
  readonly link: DiskLink;

  constructor(link: DiskLink, cause: unknown) {
    super('a copy of a volume cannot be read', { cause });
    this.link = link;
  }
}

/** One bad sector, or a disk that falls silent just now, must not end the start of the store. */
async function withHead<T>(
  { link }: CopyHead,
  volumeId: number,
  use: (file: VolumeFile) => Promise<T>,
): Promise<T> {
  try {
    return await withCopy(link, volumeName(volumeId), use);
  } catch (error) {
    throw new UnreadableCopyError(link, error);
  }
}

async function judgeSeen(input: JudgementInput): Promise<Judgement> {
  const { volume, list } = input;
  const judgement: Judgement = {
    volumeId: volume.volumeId, list, states: new Map(), sizeBytes: 0, markEnd: input.markEnd,
    trailerBytes: undefined, tails: [], merge: undefined, hint: undefined, findings: [],
  };
  for (const link of volume.unreadable) judgement.states.set(link, 'damaged');
  const heads = await sameHistory(input, judgement);
  if (heads.length === 0) return unrecognized(input, judgement);
  const sealed = await sealedHeads(heads, input);
  if (sealed.length > 0) return judgeSealed(sealed, heads, judgement);
  checkEnoughSeen(input, judgement);
  return new UnsealedVolume(input, membersOf(heads, judgement), judgement).judge();
}

/** A copy that is not on the list, left from a time before it was made anew elsewhere, must not
 *  take writes: the list says who has seen them. */
function membersOf(heads: readonly SoundHead[], { list, states }: Judgement): SoundHead[] {
  const members = heads.filter(({ link }) => list.diskIds.includes(link.id));
  if (members.length === 0) return [...heads];
  for (const { link } of heads) {
    if (!list.diskIds.includes(link.id)) states.set(link, 'unchecked');
  }
  return members;
}

type SoundHead = CopyHead & { readonly superblock: Superblock };

/** Copies that begin with the same superblock. Others are set aside. */
async function sameHistory(input: JudgementInput, judgement: Judgement): Promise<SoundHead[]> {
  const { heads, volumeId } = input.volume;
  const groups = new Map<string, SoundHead[]>();
  for (const head of heads) {
    const { superblock } = head;
    if (superblock === 'version') throw newer(volumeId);
    if (typeof superblock === 'string' || superblock.volumeId !== volumeId) {
      judgement.states.set(head.link, 'damaged');
      continue;
    }
    const key = head.superblockBytes.toString('latin1');
    groups.set(key, [...(groups.get(key) ?? []), { ...head, superblock }]);
  }
  if (groups.size <= 1) return [...groups.values()][0] ?? [];
  const all = [...groups.values()];
  const stores = new Set(all.map(([head]) => head?.superblock.storeId.toString('hex')));
  if (stores.size > 1) throw foreign(input, all);
  // A volume that never got a batch holds nothing that anybody was told of.
  const reach = await Promise.all(all.map((group) => furthest(group)));
  const least = Math.max(input.markEnd, SUPERBLOCK_BYTES + 1);
  const possible = all.filter((_, at) => (reach[at] as number) >= least);
  const [winner, ...others] = possible;
  if (winner === undefined || others.length > 0) throw differ(volumeId, heads);
  for (const { link } of all.filter((group) => group !== winner).flat()) {
    setAside(judgement, link, 'another beginning');
  }
  return winner;
}

async function furthest(heads: readonly SoundHead[]): Promise<number> {
  let end = 0;
  for (const head of heads) {
    const { superblock, trailer, sizeBytes } = head;
    const stretch = { from: startOf(superblock), end: trailer?.dataEnd ?? sizeBytes };
    const walked = await withHead(head, superblock.volumeId, (file) =>
      walkCopy(file, superblock, stretch));
    end = Math.max(end, walked.position.end);
  }
  return end;
}

function setAside(judgement: Judgement, link: DiskLink, code: string): void {
  const { volumeId, findings, states } = judgement;
  states.set(link, 'differs');
  findings.push({ kind: 'copies-differ', volumeId, diskId: link.id, code });
}

/**
 * The sealed copies that are right. Two that were sealed apart from each other, each while the
 * other's disk was away, may differ in a last batch that only one of them ever had: then the longer
 * one has all that the shorter one has. Otherwise nobody can tell which one is right.
 */
async function sealedHeads(
  heads: readonly SoundHead[],
  { markEnd, volume }: JudgementInput,
): Promise<SoundHead[]> {
  const { volumeId } = volume;
  const sealed = heads.filter(({ trailer }) => trailer !== undefined && trailer.dataEnd >= markEnd);
  const [longest] = [...sealed].sort((a, b) => endOf(b) - endOf(a));
  const same = sealed.filter((head) => longest && head.trailerBytes.equals(longest.trailerBytes));
  for (const { trailer, superblock } of sealed.filter((head) => !same.includes(head))) {
    if (longest === undefined || trailer === undefined) continue;
    const { dataEnd: end, chain } = trailer;
    const begins = end < endOf(longest) && (await withHead(longest, volumeId, (file) =>
      hasCommitAt(file, superblock.seed, { end, chain })));
    if (!begins) throw differ(volumeId, sealed);
  }
  return same;
}

function endOf({ trailer }: SoundHead): number {
  return trailer?.dataEnd ?? 0;
}

function judgeSealed(
  sealed: readonly SoundHead[],
  heads: readonly SoundHead[],
  judgement: Judgement,
): Judgement {
  const sizeBytes = Math.min(...sealed.map((head) => head.sizeBytes));
  const [{ trailerBytes }] = sealed as [SoundHead];
  const markEnd = Math.max(judgement.markEnd, ...sealed.map(endOf));
  for (const head of heads) {
    const right = sealed.includes(head) && head.sizeBytes === sizeBytes;
    judgement.states.set(head.link, right ? 'good' : 'stale');
    if (!right) noteShort(judgement, head.link, 'without the footer');
  }
  return { ...judgement, sizeBytes, markEnd, trailerBytes };
}

function noteShort({ findings, volumeId }: Judgement, link: DiskLink, code: string): void {
  findings.push({ kind: 'copy-short', volumeId, diskId: link.id, code });
}

/** No copy begins like a volume: the store above refuses it, with its own words. */
function unrecognized(input: JudgementInput, judgement: Judgement): Judgement {
  const { volume, silentMembers, silentDisks } = input;
  // Without a list of its copies there may be one on any disk.
  const hidden = volume.list === undefined ? silentDisks : silentMembers;
  if (hidden + volume.unreadable.length > 0) throw tooFewSeen(input, 0);
  for (const { link } of volume.heads) judgement.states.set(link, 'good');
  return judgement;
}

/** A disk of the list that answers and has no copy has been seen too: it has none. */
function checkEnoughSeen(input: JudgementInput, { states }: Judgement): void {
  const { list, silentMembers, volume } = input;
  if (silentMembers + volume.unreadable.length === 0) return;
  const useless = [...states].filter(([{ id }]) => list.diskIds.includes(id)).length;
  const seen = list.diskIds.length - silentMembers - useless;
  if (seen < copiesToTrust(list)) throw tooFewSeen(input, seen);
}

interface WalkedCopy {
  readonly head: SoundHead;
  readonly walk: ScanResult;
}

/** A volume that was being written when the store stopped. */
class UnsealedVolume {
  readonly #input: JudgementInput;
  readonly #heads: readonly SoundHead[];
  #judgement: Judgement;
  readonly #superblock: Superblock;
  #markEnd: number;

  constructor(input: JudgementInput, heads: readonly SoundHead[], judgement: Judgement) {
    this.#input = input;
    this.#heads = heads;
    this.#judgement = judgement;
    this.#superblock = (heads[0] as SoundHead).superblock;
    this.#markEnd = input.markEnd;
  }

  async judge(): Promise<Judgement> {
    const walked = await this.#walkAll();
    walked.sort((a, b) => b.walk.position.end - a.walk.position.end);
    const same = await this.#sameStory(walked);
    const best = same[0] as WalkedCopy;
    const merged = await this.#goOn(same, best.walk.position);
    const { end } = merged;
    if (await this.#isRotten(same, merged)) return this.#rotten(same, best);
    if (end > best.walk.position.end) {
      for (const { head } of same) this.#judgement.states.set(head.link, 'damaged');
      return { ...this.#judgement, sizeBytes: end, markEnd: end, merge: merged };
    }
    const source = await this.#sourceOfTail(same, best);
    // The best one is the last, for the others are filled up from it. A lone copy is left to the
    // store above.
    for (const copy of same.reverse()) {
      if (same.length > 1) await this.#level(copy, best, source);
      else this.#judgement.states.set(copy.head.link, 'good');
    }
    return { ...this.#judgement, sizeBytes: end, markEnd: end };
  }

  #with<T>(head: SoundHead, use: (file: VolumeFile) => Promise<T>): Promise<T> {
    return withHead(head, this.#judgement.volumeId, use);
  }

  /** Each from the best hint that it fulfils, or from the start. */
  async #walkAll(): Promise<WalkedCopy[]> {
    const hints: { link: DiskLink; at: VolumePosition }[] = [];
    for (const { link } of this.#heads) {
      const at = await readHint(link, this.#superblock).catch((error: unknown) => {
        throw new UnreadableCopyError(link, error);
      });
      if (at !== undefined) hints.push({ link, at });
    }
    hints.sort((a, b) => b.at.end - a.at.end);
    const hint = hints[0]?.at;
    this.#judgement = { ...this.#judgement, hint: hints[0]?.link };
    // A hint is written when the bytes are durable, so it is a mark too.
    this.#markEnd = Math.max(this.#markEnd, hint?.end ?? 0);
    const walked: WalkedCopy[] = [];
    for (const head of this.#heads) {
      const walk = await this.#with(head, async (file) => {
        const holds = hint !== undefined && (await hasCommitAt(file, this.#superblock.seed, hint));
        const from = holds ? hint : startOf(this.#superblock);
        return walkCopy(file, this.#superblock, { from, end: head.sizeBytes });
      });
      walked.push({ head, walk });
    }
    return walked;
  }

  /** Without the copies that are not a beginning of the best one. */
  async #sameStory(walked: readonly WalkedCopy[]): Promise<WalkedCopy[]> {
    const best = walked[0] as WalkedCopy;
    const { seed } = this.#superblock;
    const others: WalkedCopy[] = [];
    const same = [best];
    for (const copy of walked.slice(1)) {
      const { position } = copy.walk;
      const begins = await this.#with(best.head, (file) => hasCommitAt(file, seed, position));
      (begins ? same : others).push(copy);
    }
    if (others.length === 0) return same;
    // Only what was acknowledged can be believed against another: the mark lies on one of the two.
    const mark = this.#markEnd;
    const candidates = walked.filter(({ walk }) => walk.position.end >= mark);
    if (candidates.some((copy) => others.includes(copy)) || mark <= SUPERBLOCK_BYTES) {
      throw differ(this.#judgement.volumeId, walked.map(({ head }) => head));
    }
    for (const { head } of others) setAside(this.#judgement, head.link, 'another end');
    return same;
  }

  /** Where one copy is damaged another may have what follows. */
  async #goOn(copies: readonly WalkedCopy[], from: VolumePosition): Promise<VolumePosition> {
    let position = from;
    for (let before = -1; before !== position.end; ) {
      before = position.end;
      for (const { head } of copies) {
        const stretch = { from: position, end: head.sizeBytes };
        const walk = await this.#with(head, (file) => walkCopy(file, this.#superblock, stretch));
        ({ position } = walk);
      }
    }
    return position;
  }

  async #isRotten(copies: readonly WalkedCopy[], from: VolumePosition): Promise<boolean> {
    if (this.#markEnd > from.end) return true;
    for (const { head } of copies) {
      const stretch = { from, end: head.sizeBytes, markEnd: this.#markEnd };
      const judge = (file: VolumeFile): Promise<boolean> =>
        isRottenFrom(file, this.#superblock, stretch);
      if (await this.#with(head, judge)) return true;
    }
    return false;
  }

  /** Acknowledged bytes are damaged in all copies that can be seen: kept as they are. */
  #rotten(copies: readonly WalkedCopy[], best: WalkedCopy): Judgement {
    if (this.#input.silentMembers > 0) throw tooFewSeen(this.#input, copies.length);
    for (const copy of copies) {
      this.#judgement.states.set(copy.head.link, copy === best ? 'good' : 'damaged');
    }
    const { sizeBytes } = best.head;
    return { ...this.#judgement, sizeBytes, markEnd: Math.max(this.#markEnd, sizeBytes) };
  }

  /** All copies must end alike before a batch is added: a leftover behind the end of one of them
   *  could be taken for acknowledged later. */
  /** One that ends there, and of which the last batch is sound: walks may begin behind that, and
   *  damage must not spread. */
  async #sourceOfTail(copies: readonly WalkedCopy[], best: WalkedCopy): Promise<DiskLink> {
    const { end } = best.walk.position;
    if (copies.every(({ walk }) => walk.position.end === end)) return best.head.link;
    for (const { head, walk } of copies.filter((copy) => copy.walk.position.end === end)) {
      const isSound = walk.lastBatch !== undefined || await this.#with(head, (file) =>
        isBatchSoundBefore(file, this.#superblock, end));
      if (isSound) return head.link;
    }
    return best.head.link;
  }

  async #level(
    { head, walk }: WalkedCopy, best: WalkedCopy, source: DiskLink,
  ): Promise<void> {
    const { link, sizeBytes } = head;
    const { states, tails } = this.#judgement;
    const { end } = best.walk.position;
    const soundEnd = walk.position.end;
    const isTail = end - soundEnd <= TAIL_BYTES_MAX && (await this.#endsTorn(head, walk));
    if (!isTail || (!link.takesWrites && (soundEnd < end || sizeBytes > end))) {
      states.set(link, soundEnd === end ? 'good' : 'stale');
      if (soundEnd < end) noteShort(this.#judgement, link, 'behind the others');
      return;
    }
    states.set(link, 'good');
    // Also when it looks right: that may be in the system's memory only, over the rest of a batch
    // that failed and was cut off. It must be gone before another one is written there.
    if (soundEnd < end) tails.push({ link, soundEnd, start: soundEnd, from: source, end });
    else {
      const start = await this.#with(head, (file) =>
        startOfBatchBefore(file, this.#superblock.seed, end));
      tails.push({ link, soundEnd, start, from: link, end });
    }
  }

  /** Not if sound batches lie behind the place: then it is not its end that is bad. */
  async #endsTorn(head: SoundHead, walk: ScanResult): Promise<boolean> {
    const stretch = { from: walk.position, end: head.sizeBytes, markEnd: 0 };
    return !(await this.#with(head, (file) => isRottenFrom(file, this.#superblock, stretch)));
  }
}

function tooFewSeen({ volume, list }: JudgementInput, seen: number): HoldfastError {
  const { volumeId } = volume;
  const message = 'Too few copies of a volume can be reached to be sure that nothing is missing. '
    + 'Bring its disks back and start again.';
  const facts = { volumeId, seen, needed: copiesToTrust(list), disks: list.diskIds.join(' ') };
  return new HoldfastError('unavailable', OP, message, { facts });
}

function differ(volumeId: number, heads: readonly CopyHead[]): HoldfastError {
  const message = 'Two copies of a volume hold different data, and nothing tells which one is '
    + 'right. Nothing was changed. Take the disk with the wrong copy away and start again.';
  const facts = { volumeId, disks: heads.map(({ link }) => link.id).join(' ') };
  return new HoldfastError('corrupt', OP, message, { facts });
}

function foreign({ volume }: JudgementInput, groups: readonly (readonly CopyHead[])[]) {
  const fewest = [...groups].sort((a, b) => a.length - b.length)[0] ?? [];
  const message = 'A disk holds volumes of another store. Take it away and start again.';
  const facts = { volumeId: volume.volumeId, disks: fewest.map(({ link }) => link.id).join(' ') };
  return new HoldfastError('invalid', OP, message, { facts });
}

function newer(volumeId: number): HoldfastError {
  const message = 'A volume was written by a newer version of Holdfast. Start that or a later one.';
  return new HoldfastError('corrupt', OP, message, { facts: { volumeId } });
}
