/** How a change of dead properties works out. Pure. */
import { PROPERTIES_BYTES_MAX } from './changes.ts';
import type { SetProperties } from './changes.ts';
import type { DeadProperty } from './records.ts';
import { propertiesTooLarge } from './refusals.ts';

/** Ascending by the UTF-8 bytes, which is the order of code points; JavaScript's own order is that
 *  of UTF-16 units and differs beyond the basic plane. */
export function compareCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function keyOf(property: { namespace: string; name: string }): string {
  return `${property.namespace}\0${property.name}`;
}

function bytesOf({ namespace, name, xml }: DeadProperty): number {
  return Buffer.byteLength(namespace) + Buffer.byteLength(name) + Buffer.byteLength(xml);
}

/** The properties after the change, by namespace and name.
 *  @throws too-large: over PROPERTIES_BYTES_MAX together. */
export function changedProperties(
  before: readonly DeadProperty[], change: Pick<SetProperties, 'set' | 'remove'>,
): DeadProperty[] {
  const after = new Map(before.map((property) => [keyOf(property), property]));
  for (const removed of change.remove) after.delete(keyOf(removed));
  for (const property of change.set) after.set(keyOf(property), property);
  const kept = [...after.values()];
  const sumBytes = kept.reduce((sum, property) => sum + bytesOf(property), 0);
  if (sumBytes > PROPERTIES_BYTES_MAX) throw propertiesTooLarge(PROPERTIES_BYTES_MAX);
  return kept.toSorted((a, b) => compareCodePoints(a.namespace, b.namespace)
    || compareCodePoints(a.name, b.name));
}
