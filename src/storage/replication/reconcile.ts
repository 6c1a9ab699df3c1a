/** Before the store above looks at its volumes: copies are compared, and their ends levelled. */
import { HoldfastError } from '../../base/errors.ts';
import type { Witness } from '../../base/witness.ts';
import { marksAway } from '../backends/local/inspection.ts';
import { SUPERBLOCK_BYTES } from '../backends/local/record-codec.ts';
import type { VolumeFile } from '../backends/local/volume-files.ts';
import type { CopyFinding } from './copy-findings.ts';
import { judgeVolume, type Judgement, type TailFix } from './copy-judgement.ts';
import type { CopyList } from './copy-list.ts';
import { CopyTable, VolumeCopies } from './copy-table.ts';
import { withCopy } from './copy-examination.ts';
import type { DiskLink } from './disk-link.ts';
import { FileLeg } from './file-leg.ts';
import { isLeftover, isUnborn, type Leftover } from './leftover-copy.ts';
import { volumeName } from './file-names.ts';
import { judgeMember } from './sets/judge-member.ts';
import type { SetTable } from './sets/set-table.ts';
import { surveyDisks, type Survey, type SurveyedVolume } from './survey.ts';

const OP = 'storage/ReplicatedVolumeFiles.open';
const CHUNK_BYTES = 1024 ** 2;
/** More than a page of any disk. */
const PADDING_BYTES_MAX = 64 * 1024;

export interface Reconciled {
  readonly table: CopyTable;
  readonly findings: CopyFinding[];
  /** Volumes of which no single copy is whole: to be put together before the store opens. */
  readonly merges: readonly Judgement[];
  /** Disks that do not answer. */
  readonly silent: readonly DiskLink[];
  /** Copies to be moved to their disks' trash before the store opens: they are in no table. */
  readonly leftovers: readonly Leftover[];
}

/**
 * First everything is read and judged; only when nothing speaks against it, torn ends are cut off
 * and short ones filled up from a longer copy. What was acknowledged is never overwritten.
 * @throws as judgeVolume; and unavailable: a volume of the witness may be on a silent disk;
 *   `marks-away`: an end would be cut off, and not all could be asked if it was acknowledged.
 */
export async function reconcile(
  links: readonly DiskLink[],
  { witness, isWitnessWhole }: { witness: Witness; isWitnessWhole: boolean },
  sets: SetTable,
): Promise<Reconciled> {
  const survey = await surveyDisks(links);
  const leftovers = await takeOutLeftovers(survey);
  const marks = marksOf(survey, witness);
  leftovers.push(...await takeOutUnborn(survey, marks, sets));
  checkStoreSeen(survey, leftovers, sets);
  checkNoneHidden(survey, witness, sets);
  const judgements: Judgement[] = [];
  for (const volume of [...survey.volumes.values()].sort((a, b) => a.volumeId - b.volumeId)) {
    if (sets.find(volume.volumeId) !== undefined) continue;
    judgements.push(await judgeAnswering(volume, { survey, links, marks }));
  }
  judgements.push(...judgeMembers(survey, marks, sets));
  if (!isWitnessWhole) await checkNothingCut(judgements, survey);
  const table = new CopyTable();
  const findings: CopyFinding[] = [];
  for (const judgement of judgements) {
    findings.push(...judgement.findings);
    for (const tail of judgement.tails) await fixTail(judgement, tail, findings);
    const copies = copiesOf(judgement);
    for (const { id } of survey.silent) {
      if (copies.list.diskIds.includes(id)) copies.states.set(id, 'unchecked');
    }
    table.add(copies);
  }
  const merges = judgements.filter(({ merge }) => merge !== undefined);
  return { table, findings, merges, silent: survey.silent, leftovers };
}

/** Copies of volumes that have left while their disk was away are not judged. */
async function takeOutLeftovers({ volumes, answered, gone }: Survey): Promise<Leftover[]> {
  const leftovers: Leftover[] = [];
  for (const volume of [...volumes.values()].filter(({ volumeId }) => gone.has(volumeId))) {
    const { volumeId, heads, unreadable } = volume;
    for (const link of [...heads.map((head) => head.link), ...unreadable]) {
      const others = answered.filter((one) => one !== link);
      if (!link.takesWrites || !(await isLeftover(volumeId, link, others))) continue;
      leftovers.push({ link, volumeId });
    }
    const stays = (link: DiskLink): boolean =>
      !leftovers.some((one) => one.link === link && one.volumeId === volumeId);
    const left = {
      ...volume, heads: heads.filter(({ link }) => stays(link)),
      unreadable: unreadable.filter(stays),
    };
    if (left.heads.length + left.unreadable.length === 0) volumes.delete(volumeId);
    else volumes.set(volumeId, left);
  }
  return leftovers;
}

/**
 * A volume whose making was cut short may have its name on one disk alone, that harms its
 * beginning: it holds nothing, and would keep the store from starting. While a disk is silent
 * nobody can be sure.
 */
async function takeOutUnborn(
  { volumes, answered, silent }: Survey, marks: ReadonlyMap<number, number>, sets: SetTable,
): Promise<Leftover[]> {
  if (silent.length > 0) return [];
  const leftovers: Leftover[] = [];
  for (const { volumeId, heads, unreadable } of [...volumes.values()]) {
    // The next volume may say of it that it was empty.
    const isEmpty = (marks.get(volumeId) ?? 0) <= SUPERBLOCK_BYTES;
    const isSuspicious = unreadable.length === 0 && isEmpty
      && sets.find(volumeId) === undefined
      && heads.every(({ superblock, link }) => superblock !== 'version' && link.takesWrites
        && (typeof superblock === 'string' || superblock.volumeId !== volumeId));
    if (!isSuspicious || !(await isUnborn(volumeId, answered))) continue;
    volumes.delete(volumeId);
    for (const { link } of heads) leftovers.push({ link, volumeId, isUnborn: true });
  }
  return leftovers;
}

/** Also of those that no disk has at the moment: their sets have them. */
function judgeMembers(
  { volumes }: Survey, marks: ReadonlyMap<number, number>, sets: SetTable,
): Judgement[] {
  return sets.all().flatMap((set) => set.record.volumes.map((member) => judgeMember({
    set, member, volume: volumes.get(member.volumeId), markEnd: marks.get(member.volumeId) ?? 0,
  })));
}

interface Seen {
  readonly survey: Survey;
  readonly links: readonly DiskLink[];
  readonly marks: ReadonlyMap<number, number>;
}

/** A disk may fall silent at any time: it is not asked for every volume again. */
async function judgeAnswering(found: SurveyedVolume, seen: Seen): Promise<Judgement> {
  const { survey, links, marks } = seen;
  const list = found.list ?? listOfFound(found);
  const heads = found.heads.filter(({ link }) => link.silentSinceMs === undefined);
  const silentMembers = list.diskIds.filter((id) => isSilent(id, survey, links)).length;
  const judgement = await judgeVolume({
    volume: { ...found, heads }, list, silentMembers, markEnd: marks.get(found.volumeId) ?? 0,
    silentDisks: survey.silent.length,
  });
  for (const link of survey.answered.filter(({ silentSinceMs }) => silentSinceMs !== undefined)) {
    if (!survey.silent.includes(link)) survey.silent.push(link);
  }
  return judgement;
}

/** A disk of which nothing is known, not even that it was retired, may come back. */
function isSilent(diskId: string, survey: Survey, links: readonly DiskLink[]): boolean {
  const link = links.find(({ id }) => id === diskId);
  return link === undefined || survey.silent.includes(link);
}

/** A volume from the time before it had copies. */
function listOfFound({ volumeId, heads, unreadable }: SurveyedVolume): CopyList {
  const links = [...heads.map(({ link }) => link), ...unreadable];
  return { volumeId, generation: 0, copies: 1, acksMin: 1, diskIds: links.map(({ id }) => id) };
}

/** From the witness, and from each volume for the one before it. */
function marksOf({ volumes }: Survey, witness: Witness): Map<number, number> {
  const marks = new Map(witness);
  for (const { heads } of volumes.values()) {
    for (const { superblock } of heads) {
      if (typeof superblock === 'string' || superblock.previousVolumeId === 0) continue;
      const { previousVolumeId: id, previousEnd } = superblock;
      marks.set(id, Math.max(marks.get(id) ?? 0, previousEnd));
    }
  }
  return marks;
}

/** Where nothing is found a new store begins. If the old one lay on the silent disks, they would be
 *  foreign to it when they are back. */
function checkStoreSeen(
  { volumes, gone, silent }: Survey, leftovers: readonly Leftover[], sets: SetTable,
): void {
  if (silent.length === 0 || gone.size > 0 || leftovers.length > 0) return;
  if (volumes.size > 0 || sets.all().length > 0) return;
  const ids = silent.map(({ id }) => id).join(', ');
  const message = 'The disks that answer hold nothing, and others do not answer: nobody can tell '
    + `whether files are missing. Bring these back, then start again: ${ids}. If one stands `
    + 'elsewhere now: holdfast disk move. If nothing was ever stored, the runbook disk-dying says '
    + 'how to begin anew.';
  const facts = { disks: silent.map(({ id }) => id).join(' ') };
  throw new HoldfastError('unavailable', OP, message, { facts });
}

/** A volume that is not found while a disk is silent is out of reach, not lost. */
function checkNoneHidden({ volumes, silent }: Survey, witness: Witness, sets: SetTable): void {
  if (silent.length === 0) return;
  for (const [volumeId] of witness) {
    if (volumes.has(volumeId) || sets.find(volumeId) !== undefined) continue;
    const message = 'No copy of a volume can be reached. Bring its disks back and start again.';
    const facts = { volumeId, disks: silent.map(({ id }) => id).join(' ') };
    throw new HoldfastError('unavailable', OP, message, { facts });
  }
}

async function checkNothingCut(
  judgements: readonly Judgement[], { volumes }: Survey,
): Promise<void> {
  for (const { volumeId, tails, sizeBytes } of judgements) {
    if (tails.length === 0) continue;
    for (const { link, sizeBytes: length } of volumes.get(volumeId)?.heads ?? []) {
      const isPadded = await withCopy(link, volumeName(volumeId), (file) =>
        isPadding(file, sizeBytes, length)).catch(() => false); // Nobody could look.
      if (!isPadded) throw marksAway(volumeId);
    }
  }
}

/** The rest of a page that was written whole: nothing is lost with it. */
async function isPadding(
  file: Pick<VolumeFile, 'read'>, from: number, end: number,
): Promise<boolean> {
  if (end <= from) return true;
  if (end - from > PADDING_BYTES_MAX) return false;
  const bytes = Buffer.alloc(end - from);
  const filled = await file.read(bytes, from);
  return bytes.subarray(0, filled).every((byte) => byte === 0);
}

function copiesOf(judgement: Judgement): VolumeCopies {
  const { list, states, sizeBytes, markEnd, hint, trailerBytes } = judgement;
  const copies = new VolumeCopies(list);
  for (const [link, state] of states) copies.states.set(link.id, state);
  copies.sizeBytes = sizeBytes;
  copies.markEnd = markEnd;
  copies.isMarkExact = true;
  copies.trailerBytes = trailerBytes;
  if (trailerBytes !== undefined) for (const id of copies.good) copies.unproven.add(id);
  copies.hintDiskId = hint?.id;
  return copies;
}

/** Cuts off what is torn, adds what is missing, writes the last batch again, and syncs. A copy that
 *  refuses falls behind. */
async function fixTail(
  judgement: Judgement,
  tail: TailFix,
  findings: CopyFinding[],
): Promise<void> {
  const { volumeId, states } = judgement;
  const { link, soundEnd, start, end } = tail;
  const name = volumeName(volumeId);
  try {
    const leg = new FileLeg(link, await link.open(name, 'write'));
    try {
      await leg.run(0, (file) => file.truncate(soundEnd));
      await withCopy(tail.from, name, async (source) => {
        for (let at = start; at < end; at += CHUNK_BYTES) {
          const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, end - at));
          if ((await source.read(chunk, at)) !== chunk.length) throw new Error('it became shorter');
          await leg.run(chunk.length, (file) => file.write([chunk], at));
        }
      });
      await leg.run(end - start, (file) => file.sync());
    } finally {
      await leg.close().catch(() => undefined);
    }
    const finding = { kind: 'copy-short', volumeId, diskId: link.id, code: 'filled up' } as const;
    if (soundEnd < end) findings.push(finding);
  } catch {
    // It is made anew once the store runs, from one that did not fail.
    const others = [...states].filter(([other, state]) => other !== link && state === 'good');
    if (others.length > 0) states.set(link, 'stale');
    findings.push({ kind: 'copy-short', volumeId, diskId: link.id, code: 'not filled up' });
  }
}
