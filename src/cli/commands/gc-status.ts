import type { GcStatus } from '../../durability/index.ts';
import { EXIT } from '../command.ts';
import type { Command } from '../command.ts';
import { amount, dataDirectoryOf, GC_EXITS, GC_FLAGS, timeOf } from '../gc-command.ts';
import type { GcParts } from '../gc-command.ts';
import { tenantOf } from '../tenant-flag.ts';

export function gcStatus(parts: GcParts): Command {
  return {
    name: 'gc status',
    summary: 'Show what is garbage, what waits in the trash, and what was given back',
    flags: GC_FLAGS,
    exits: GC_EXITS,
    async run(terminal, input) {
      const status = await parts.readStatus(
        await dataDirectoryOf(parts, input), tenantOf(input),
      );
      for (const line of linesOf(status)) terminal.print(line);
      if (status.mirror !== undefined) {
        terminal.print('in the mirror:');
        for (const line of linesOf(status.mirror)) terminal.print(`  ${line}`);
      }
      return EXIT.done;
    },
  };
}

const STAGES = {
  wait: 'waits', inspect: 'first inspection due', unlink: 'goes after the next inspection',
} as const;

function linesOf(status: GcStatus): string[] {
  const { censuses: [latest], suspects, trash, unlinkedCount, unlinkedBytes } = status;
  const lines = [
    latest === undefined ? 'census: none was taken yet'
      : `census ${latest.census} of ${timeOf(latest.begunAt)}`
        + (latest.endedAt === undefined ? ', cut short or going on' : ''),
  ];
  if (latest?.endedAt !== undefined) {
    lines.push(
      `  referred to: ${latest.referenceCount} times, by ${latest.manifestCount} manifests`,
      `  missing: ${latest.absentCount} blocks`,
      `  condemned: ${amount(latest.condemnedCount, 'block', latest.condemnedBytes)}`,
    );
  }
  const trashBytes = trash.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  lines.push(
    `suspects: ${amount(suspects.count, 'block', suspects.bytes)}, the oldest since `
      + timeOf(suspects.oldestAt),
    `  for a day and longer: ${amount(suspects.agedCount, 'block', suspects.agedBytes)}`,
    `trash: ${amount(trash.length, 'volume', trashBytes)}`,
  );
  for (const { volume, since, stage } of trash) {
    lines.push(`  volume ${volume} since ${timeOf(since)}: ${STAGES[stage]}`);
  }
  return [...lines, `given back: ${amount(unlinkedCount, 'volume', unlinkedBytes)}`];
}
