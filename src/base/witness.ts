/**
 * What a block store had made durable at some moment: for each volume, how many bytes from its
 * start. The metadata store keeps the newest one in the very transaction that refers to the blocks,
 * so at the next start a volume that is shorter or unreadable below its mark has lost acknowledged
 * data, and a damaged tail beyond it was never acknowledged to anyone.
 */
export type Witness = readonly (readonly [volumeId: number, durableBytes: number])[];

/** Of each volume the furthest mark. */
export function furthestOf(witnesses: readonly Witness[]): Witness {
  const furthest = new Map<number, number>();
  for (const [volumeId, bytes] of witnesses.flat()) {
    furthest.set(volumeId, Math.max(bytes, furthest.get(volumeId) ?? 0));
  }
  return [...furthest].sort(([a], [b]) => a - b);
}
