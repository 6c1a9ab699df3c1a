import { EXIT, flagText } from '../command.ts';
import type { Command } from '../command.ts';
import { asker, DISK_FLAGS } from '../disk-command.ts';
import type { DiskParts } from '../disk-command.ts';

interface Row {
  readonly name: string;
  readonly fingerprint: string;
  readonly count: number;
  readonly errors: number;
  readonly rows: number;
  readonly totalMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly slowestMs: number;
  readonly slowestRequest?: string;
}

const HEADING = ['statement', 'fingerprint', 'times', 'in all', 'half', '99 %', 'slowest', 'rows',
  'errors', 'request of the slowest'].join('\t');
const ORDERS = ['total', 'p99', 'rows'];
const LIMIT = 20;
const SECOND_MS = 1_000;

export function dbTop(parts: DiskParts): Command {
  return {
    name: 'db top', summary: 'Show which statements cost the databases most',
    details: 'Since the server began, over all its databases and threads. Columns: statement,\n'
      + 'fingerprint, times it ran, time in all, half of them took at most, all but one of a\n'
      + 'hundred, the slowest, rows, errors, the request that the slowest was for. After a + the\n'
      + 'number of other requests that were served by the same transaction.',
    flags: [
      ...DISK_FLAGS,
      { flags: '--by <what>', docs: 'total, p99 or rows: what comes first (total)' },
      { flags: '--limit <count>', docs: `how many to show (${LIMIT})` },
    ],
    exits: {
      0: 'shown', 1: 'failed, with the reason on screen: no server runs', 2: 'wrong usage',
    },
    async run(terminal, input) {
      const by = flagText(input, 'by') ?? 'total';
      const limit = Number(flagText(input, 'limit') ?? LIMIT);
      if (!ORDERS.includes(by) || !Number.isInteger(limit) || limit < 1) {
        terminal.complain('Sort --by total, p99 or rows, and give a whole number as --limit.');
        return EXIT.usage;
      }
      const ask = await asker(parts, input);
      const { statements, count } = await ask('db.top', { by, limit }) as unknown as {
        statements: Row[]; count: number;
      };
      if (statements.length > 0) terminal.complain(HEADING); // Not among what scripts read.
      for (const row of statements) terminal.print(lineOf(row));
      terminal.complain(`${statements.length} of ${count} statements that have run.`);
      return EXIT.done;
    },
  };
}

function lineOf(row: Row): string {
  const { name, fingerprint, count, totalMs, p50Ms, p99Ms, slowestMs, rows, errors } = row;
  const times = [totalMs, p50Ms, p99Ms, slowestMs].map(timeText);
  return [
    name, fingerprint, count, ...times, rows, errors, row.slowestRequest ?? '-',
  ].join('\t');
}

function timeText(ms: number): string {
  if (ms >= SECOND_MS) return `${(ms / SECOND_MS).toFixed(2)} s`;
  return ms >= 1 ? `${ms.toFixed(1)} ms` : `${(ms * SECOND_MS).toFixed(1)} us`;
}
