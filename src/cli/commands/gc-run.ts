import type { CollectorPlan, CollectorReport, HeldReason } from '../../durability/index.ts';
import { EXIT, flagText } from '../command.ts';
import type { Command, Terminal } from '../command.ts';
import { amount, GC_EXITS, GC_FLAGS, sizeText, withCollector } from '../gc-command.ts';
import type { GcParts, OpenedMirrorCollector } from '../gc-command.ts';

const HELD: Readonly<Record<HeldReason, string>> = {
  'absent-blocks': 'Something refers to blocks that are not there. First find out what was lost.',
  'much-garbage': 'Suddenly most of what is stored is needed by nothing. Is the database the right '
    + 'one?',
};

/** Needs the data directory to itself: the running server collects by itself. */
export function gcRun(parts: GcParts): Command {
  return {
    name: 'gc run',
    summary: 'Collect garbage now, while no server runs; with --plan only say what would be done',
    flags: [
      ...GC_FLAGS,
      { flags: '--plan', docs: 'take a census and show what would go; nothing moves or goes' },
      { flags: '--despite <reason>', docs: 'go on though it holds for this reason; look first' },
    ],
    exits: GC_EXITS,
    async run(terminal, input) {
      const despite = flagText(input, 'despite');
      if (despite !== undefined && !(despite in HELD)) {
        terminal.complain(`--despite takes one of: ${Object.keys(HELD).join(', ')}`);
        return EXIT.usage;
      }
      return withCollector(parts, input, async (collector, { mirror }) => {
        if (input.flags['plan'] === true) {
          for (const line of planLines(await collector.plan())) terminal.print(line);
          return EXIT.done;
        }
        const options = despite === undefined ? {} : { despite: despite as HeldReason };
        const report = await collector.run(options);
        for (const line of reportLines(report)) terminal.print(line);
        if (report.held === undefined) {
          if (mirror !== undefined) await runMirror(mirror, terminal);
          return EXIT.done;
        }
        terminal.complain(HELD[report.held]);
        terminal.complain(`To go on all the same: --despite ${report.held}`);
        return EXIT.refused;
      });
    },
  };
}

/** After the first place, as the server does it. */
async function runMirror(mirror: OpenedMirrorCollector, terminal: Terminal): Promise<void> {
  const report = await mirror.run();
  if (report === undefined) {
    terminal.print('mirror: left alone, for it does not answer, or not everything is known to be '
      + 'in both places yet. The running server collects there once it is.');
    return;
  }
  terminal.print('in the mirror:');
  for (const line of reportLines(report)) terminal.print(`  ${line}`);
  if (report.held === undefined) return;
  terminal.complain(`Nothing was dropped from the mirror: ${HELD[report.held]}`);
}

function planLines(plan: CollectorPlan): string[] {
  const { census, toCompact, toInspect, toUnlink } = plan;
  const unlinkBytes = toUnlink.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const lines = [
    `needed by nothing: ${amount(census.unmetCount, 'block', census.unmetBytes)}`,
    `  for a day and longer: ${amount(census.condemnedCount, 'block', census.condemnedBytes)}`,
    `to compact: ${amount(toCompact.length, 'volume', plan.reclaimedBytes)} to the trash, `
      + `${sizeText(plan.copyBytes)} to copy`,
    `to inspect: ${toInspect.length} volumes in the trash`,
    `to unlink: ${amount(toUnlink.length, 'volume', unlinkBytes)} freed at once`,
    'nothing was moved or removed',
  ];
  return plan.held === undefined ? lines : [...lines, `a run would hold: ${HELD[plan.held]}`];
}

function reportLines({ census, compacted, inspectedCount, unlinked, freedBytes }: CollectorReport) {
  const trashBytes = compacted.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return [
    `needed by nothing: ${amount(census.unmetCount, 'block', census.unmetBytes)}`,
    `condemned: ${amount(census.condemnedCount, 'block', census.condemnedBytes)}`,
    `compacted: ${amount(compacted.length, 'volume', trashBytes)} to the trash for 14 days`,
    `inspected: ${inspectedCount} volumes`,
    `unlinked: ${amount(unlinked.length, 'volume', freedBytes)} freed`,
  ];
}
