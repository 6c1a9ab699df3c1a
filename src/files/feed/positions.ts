/** How far journals were followed: making and comparing positions. Pure. */
import type { EventRecord, SpaceStanding } from '../../metadata/index.ts';
import type { GroundParts } from '../view/received.ts';
import { printOf } from './feed-cursor.ts';
import type { FeedCursor, FeedPosition } from './feed-cursor.ts';

/** Of which revision the grants are that were read when `known` was the newest of them. */
export function grantsRev({ rev, accessRev }: SpaceStanding, known: number): number {
  return known >= accessRev ? rev : known;
}

export function positionAt(
  { rev, newest }: SpaceStanding, counted: Pick<FeedPosition, 'accessRev' | 'lapsedPrint'>,
): FeedPosition {
  return { rev, print: printOfEvent(rev, newest), ...counted };
}

export function printOfEvent(
  rev: number, event: Pick<EventRecord, 'nodeId' | 'at'> | undefined,
): number {
  return rev === 0 ? 0 : printOf(`${rev} ${event?.nodeId} ${event?.at}`);
}

export function lapsedPrint({ lapsed }: GroundParts): number {
  return lapsed.size === 0 ? 0 : printOf([...lapsed].toSorted((a, b) => a - b).join(' '));
}

export function isSame(a: FeedCursor, b: FeedCursor): boolean {
  return a.groupsRev === b.groupsRev && a.isComplete === b.isComplete
    && a.others.size === b.others.size && a.hidden.size === b.hidden.size
    && isSamePosition(a.own, b.own) && [...a.hidden].every((id) => b.hidden.has(id))
    && [...a.others].every(([id, position]) => isSamePosition(position, b.others.get(id)));
}

function isSamePosition(a: FeedPosition, b: FeedPosition | undefined): boolean {
  return a.rev === b?.rev && a.print === b.print && a.accessRev === b.accessRev
    && a.lapsedPrint === b.lapsedPrint;
}
