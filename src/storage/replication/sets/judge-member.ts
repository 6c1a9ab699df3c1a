import type { CopyHead } from '../copy-examination.ts';
import type { Judgement } from '../copy-judgement.ts';
import type { CopyList } from '../copy-list.ts';
import type { CopyState } from '../copy-table.ts';
import type { SurveyedVolume } from '../survey.ts';
import type { SetVolume } from './set-record.ts';
import type { KnownSet } from './set-table.ts';

export interface MemberInput {
  readonly volume: SurveyedVolume | undefined;
  readonly set: KnownSet;
  readonly member: SetVolume;
  readonly markEnd: number;
}

/**
 * Of a volume in a set it is known what it is: whatever is not that is damaged, and made anew from
 * the set. So none of its files is ever cut off, filled up or waited for. Nothing is read here.
 */
export function judgeMember({ volume, set, member, markEnd }: MemberInput): Judgement {
  const { volumeId, sizeBytes, diskId } = member;
  const none = { volumeId, generation: 0, copies: 1, acksMin: 1, diskIds: [diskId] };
  const list: CopyList = volume?.list ?? none;
  const states: Judgement['states'] = new Map();
  for (const link of volume?.unreadable ?? []) states.set(link, 'damaged');
  for (const head of volume?.heads ?? []) states.set(head.link, stateOf(head, set, member));
  const good = (volume?.heads ?? []).find(({ link }) => states.get(link) === 'good');
  return {
    volumeId, list, states, sizeBytes, tails: [], merge: undefined, hint: undefined,
    markEnd: Math.max(markEnd, good?.trailer?.dataEnd ?? 0),
    trailerBytes: good?.trailerBytes, findings: [...states].flatMap(([{ id }, state]) =>
      (state === 'damaged' ? [{ kind: 'copy-damaged' as const, volumeId, diskId: id }] : [])),
  };
}

function stateOf(
  { superblock, trailer, sizeBytes }: CopyHead, { record }: KnownSet, member: SetVolume,
): CopyState {
  if (typeof superblock === 'string') return 'damaged';
  const isOurs = superblock.volumeId === member.volumeId
    && superblock.storeId.toString('hex') === record.storeId
    && superblock.seed.toString('hex') === member.seed;
  if (!isOurs) return 'differs';
  return trailer !== undefined && sizeBytes === member.sizeBytes ? 'good' : 'damaged';
}
