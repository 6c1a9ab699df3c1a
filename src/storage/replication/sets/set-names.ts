/** Names of the files of erasure sets. The store above does not see them. */
import { parseParityName } from '../../erasure/set-layout.ts';

const OF_SET = /^e(\d{8,15})\./;
const OWN = /^e\d{8,15}\.(set(\.new)?|\d{1,2}\.hx(\.new|\.bad-\d+)?)$/;

/** What is known of a set, beside each of its shards. */
export function recordName(setNumber: number): string {
  return `e${String(setNumber).padStart(8, '0')}.set`;
}

export function parseRecordName(name: string): number | undefined {
  const found = setNumberOf(name);
  return found !== undefined && recordName(found) === name ? found : undefined;
}

/** The set that a file belongs to, whatever it is. */
export function setNumberOf(name: string): number | undefined {
  const number = Number(OF_SET.exec(name)?.[1]);
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}

export function isSetName(name: string): boolean {
  return OWN.test(name);
}

/** A parity file in the trash of its disk. */
export function parityTrashName(name: string, atMs: number): string {
  return `${name}.bad-${atMs}`;
}

/** Parity in the making; undefined for other files. */
export function parseParityDraft(name: string): { number: number; shard: number } | undefined {
  return name.endsWith('.new') ? parseParityName(name.slice(0, -'.new'.length)) : undefined;
}
