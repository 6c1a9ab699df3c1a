/** The record of a move as text: docs/formats/tenant-moves.md. */
import { HoldfastError } from '../../base/errors.ts';
import type { TenantId } from '../../base/ids.ts';
import type { MoveRecord } from './move-record.ts';

const FORMAT = 1;

/** What is undefined is left out. */
export function textOfMove(record: MoveRecord): string {
  return JSON.stringify({ format: FORMAT, ...record });
}

/** @throws invalid: written by a newer version of the program. */
export function parseMoveNote(tenant: TenantId, text: string): MoveRecord {
  const { format, ...record } = JSON.parse(text) as MoveRecord & { format: number };
  if (format !== FORMAT) {
    throw new HoldfastError('invalid', 'metadata/MoveJournal', 'The move of a tenant was noted by '
      + 'another version of Holdfast. Start the version that wrote it.', { facts: { format } });
  }
  return { ...record, tenant };
}
