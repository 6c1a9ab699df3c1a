/** What `holdfast disk list` says of erasure sets. */
export interface ErasureRow {
  sets: number;
  ending: number;
  blocked: readonly { set: number; reason: string }[];
  making?: { underWay: boolean; reason?: string };
}

/** None where there are no sets and none are wanted. */
export function erasureLines(row: ErasureRow | undefined): string[] {
  if (row === undefined) return [];
  const { sets, ending, blocked, making } = row;
  if (sets === 0 && making === undefined) return [];
  const ends = ending === 0 ? '' : `; ${ending} of them ${ending === 1 ? 'is' : 'are'} dissolved, `
    + 'and the volumes get their copies back';
  const lines = [`${sets} erasure ${sets === 1 ? 'set' : 'sets'} of old volumes${ends}.`];
  for (const { set, reason } of blocked) lines.push(`  set ${set} waits: ${reason}`);
  if (making?.underWay === true) lines.push('  a new set is being made');
  else if (making?.reason !== undefined) lines.push(`  no new set is made: ${making.reason}`);
  return lines;
}
