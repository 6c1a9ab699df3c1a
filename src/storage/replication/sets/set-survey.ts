/** What the disks say of erasure sets: read before anything else is judged. Nothing is written. */
import { HoldfastError } from '../../../base/errors.ts';
import { parseParityName } from '../../erasure/set-layout.ts';
import { readSmall } from '../checked-json.ts';
import type { DiskLink } from '../disk-link.ts';
import { parseRecordName, setNumberOf } from './set-names.ts';
import { decodeSetRecord, encodeSetRecord, SET_STATES, type SetRecord } from './set-record.ts';
import { KnownSet, SetTable } from './set-table.ts';

/** @throws corrupt: a volume is in two sets. A disk that does not answer is left out. */
export async function surveySets(links: readonly DiskLink[]): Promise<SetTable> {
  const table = new SetTable();
  const records = new Map<number, SetRecord>();
  const found: { diskId: string; record: SetRecord }[] = [];
  const parity: { diskId: string; number: number; shard: number }[] = [];
  const asked = links.filter(({ state }) => state !== 'retired');
  const listed = await Promise.all(asked.map(async (link) => {
    const names = await link.call(0, (files) => files.list()).catch(() => undefined);
    return { link, names };
  }));
  for (const { link, names } of listed) {
    for (const name of names ?? []) {
      table.lastNumber = Math.max(table.lastNumber, setNumberOf(name) ?? 0);
      const shard = parseParityName(name);
      if (shard !== undefined) parity.push({ diskId: link.id, ...shard });
      const number = parseRecordName(name);
      if (number === undefined) continue;
      const record = await readRecord(link, name, number);
      if (record === undefined) continue;
      found.push({ diskId: link.id, record });
      if (isNewer(record, records.get(number))) records.set(number, record);
    }
  }
  for (const record of [...records.values()].sort((a, b) => a.number - b.number)) {
    if (record.state === 'dissolved') table.dissolved.set(record.number, record);
    else table.add(new KnownSet(checkedAlone(record, table)));
  }
  for (const { diskId, record } of found) {
    const set = table.get(record.number);
    if (set !== undefined && isSame(record, set.record)) set.recordedOn.add(diskId);
  }
  for (const { diskId, number, shard } of parity) {
    table.get(number)?.parity.get(shard)?.set(diskId, 'unchecked');
  }
  // A silent disk is expected back with what it should have.
  for (const { link, names } of listed) if (names === undefined) expectParity(link.id, table);
  return table;
}

function expectParity(diskId: string, table: SetTable): void {
  for (const { record, parity, data } of table.all()) {
    for (const [at, home] of record.parityDiskIds.entries()) {
      if (home === diskId) parity.get(data + at)?.set(diskId, 'unchecked');
    }
  }
}

/** Undefined: this disk's is damaged or cannot be read; others have the same one. */
export async function readRecord(
  link: DiskLink, name: string, number: number,
): Promise<SetRecord | undefined> {
  try {
    const bytes = await link.call(0, (files) => readSmall(files, name));
    return bytes && decodeSetRecord(bytes, number);
  } catch {
    return undefined;
  }
}

/** Of two with one generation the one that is further counts: what comes later asks for more. */
export function isNewer(record: SetRecord, than: SetRecord | undefined): boolean {
  if (than === undefined || record.generation > than.generation) return true;
  const rank = ({ state }: SetRecord): number => SET_STATES.indexOf(state);
  return record.generation === than.generation && rank(record) > rank(than);
}

export function isSame(one: SetRecord, other: SetRecord): boolean {
  return encodeSetRecord(one).equals(encodeSetRecord(other));
}

function checkedAlone(record: SetRecord, table: SetTable): SetRecord {
  const other = record.volumes.find(({ volumeId }) => table.find(volumeId) !== undefined);
  if (other === undefined) return record;
  const message = 'Two erasure sets claim one volume: disks of different histories are mounted. '
    + 'Take the wrong ones away and start again.';
  throw new HoldfastError('corrupt', 'storage/ErasureSets.open', message, {
    facts: { volumeId: other.volumeId, set: record.number },
  });
}
