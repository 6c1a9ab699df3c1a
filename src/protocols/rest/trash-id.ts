/** Names of entries of the trash: the three numbers that find one. */
import { HoldfastError } from '../../base/errors.ts';
import { parseNodeId, parseSpaceId } from '../../base/ids.ts';
import type { TrashPlace } from '../../files/index.ts';

const TRASH_ID = /^([1-9]\d{0,14})-([1-9]\d{0,14})-([1-9]\d{0,14})$/;

export function trashIdOf({ spaceId, nodeId, deletedRev }: TrashPlace): string {
  return `${spaceId}-${nodeId}-${deletedRev}`;
}

/** @throws not-found: also for what can be no such id. */
export function trashPlaceOf(id: string): TrashPlace {
  const found = TRASH_ID.exec(id);
  if (found === null) {
    const message = 'The trash does not hold this any more.';
    throw new HoldfastError('not-found', 'rest/trashPlaceOf', message, { code: 'trash-missing' });
  }
  const [, space, node, deletedRev] = found;
  return {
    spaceId: parseSpaceId(Number(space)), nodeId: parseNodeId(Number(node)),
    deletedRev: Number(deletedRev),
  };
}
