/** The one table, and the JSON beside it. Pure: it only puts results into words. */
import { BARS, describeGoal, judge } from './bars.ts';
import type { Verdict } from './bars.ts';
import { findMedian, ratioOf } from './measurement.ts';
import type { Measurement, Outcome, Results } from './measurement.ts';
import type { ServerName } from './servers/bench-server.ts';

export interface ReportItem {
  readonly id: string;
  readonly title: string;
  readonly isHoldfastOnly?: boolean;
  readonly peerItem?: string;
}

export interface ReportInput {
  readonly items: readonly ReportItem[];
  readonly servers: readonly ServerName[];
  readonly results: Results;
  /** What the trace said of each server. */
  readonly syncs: ReadonlyMap<ServerName, string>;
}

const HEADINGS = [
  'item', 'server', 'result', 'p50 ms', 'p99 ms', 'cpu us/op', 'RSS MiB', 'syncs to disk',
  'Holdfast/peer', 'bar', 'aim',
];

/** A long reason would make every row as long; the lines above the table have it whole. */
const REASON_SHOWN = 44;

/** Three significant digits, without an exponent; `-` for what was not measured. */
export function formatNumber(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

/** Pads the cells to columns, as a Markdown table that reads well as plain text too. */
export function formatTable(headings: readonly string[], rows: readonly string[][]): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = line(widths.map((width) => '-'.repeat(width)));
  return [line(headings), rule, ...rows.map(line)].join('\n');
}

function verdictCell(goals: string, verdict: Verdict): string {
  return `${goals}: ${verdict === 'open' ? 'open' : verdict.toUpperCase()}`;
}

function verdictCells(results: Results, itemId: string): [string, string] {
  const bar = BARS[itemId];
  if (bar === undefined) return ['', ''];
  const cell = (goals: typeof bar.bar): string =>
    verdictCell(goals.map(describeGoal).join(', '), judge(results, itemId, goals));
  return [cell(bar.bar), cell(bar.aim)];
}

function measuredCells({ median, all }: Extract<Outcome, { kind: 'measured' }>): string[] {
  const spread = all.map(({ value }) => formatNumber(value)).join(' ');
  const isBound = (median.driverBusy ?? 0) > 0.9;
  return [
    `${formatNumber(median.value)} ${median.unit}${all.length > 1 ? ` (${spread})` : ''}` +
      `${isBound ? ', client-bound' : ''}${median.note === undefined ? '' : `, ${median.note}`}`,
    formatNumber(median.p50Ms), formatNumber(median.p99Ms), formatNumber(median.serverCpuUs),
    formatNumber(median.peakRssMiB),
  ];
}

function rowOf(input: ReportInput, item: ReportItem, server: ServerName): string[] {
  const { results, syncs } = input;
  const outcome = results.get(item.id)?.get(server);
  const head = [item.title, server];
  const verdicts = server === 'holdfast' ? verdictCells(results, item.id) : ['', ''];
  if (outcome === undefined) return [...head, 'not run', '', '', '', '', '', '', ...verdicts];
  if (outcome.kind !== 'measured') {
    const reason = outcome.reason.slice(0, REASON_SHOWN);
    return [...head, `${outcome.kind}: ${reason}`, '', '', '', '', '', '', ...verdicts];
  }
  const own = findMedian(results, item.id, 'holdfast');
  const isPeer = server !== 'holdfast' && own !== undefined;
  const ratio = isPeer ? `${formatNumber(ratioOf(own, outcome.median))} x` : '';
  const sync = syncs.get(server) ?? 'not traced';
  return [...head, ...measuredCells(outcome), sync, ratio, ...verdicts];
}

/** Holdfast is set against the peers' rows of another item where it alone does more work. */
function foreignRatio(input: ReportInput, item: ReportItem): string[][] {
  const { peerItem } = item;
  if (peerItem === undefined) return [];
  return input.servers.filter((server) => server !== 'holdfast').map((server) => {
    const own = findMedian(input.results, item.id, 'holdfast');
    const peer = findMedian(input.results, peerItem, server);
    const isKnown = own !== undefined && peer !== undefined;
    const ratio = isKnown ? `${formatNumber(ratioOf(own, peer))} x` : 'open';
    return [item.title, server, `as in ${peerItem}`, '', '', '', '', '', ratio, '', ''];
  });
}

export function formatReport(input: ReportInput): string {
  const rows = input.items.flatMap((item) => {
    const shown = input.servers.filter((name) => name === 'holdfast' || !item.isHoldfastOnly);
    return [...shown.map((server) => rowOf(input, item, server)), ...foreignRatio(input, item)];
  });
  return formatTable(HEADINGS, rows);
}

export interface JsonRow {
  readonly item: string;
  readonly server: ServerName;
  readonly outcome: Outcome['kind'];
  readonly reason?: string;
  readonly median?: Measurement;
  readonly all?: readonly Measurement[];
  readonly bar?: Verdict;
  readonly aim?: Verdict;
}

export function jsonRows({ items, results }: ReportInput): JsonRow[] {
  return items.flatMap(({ id }) => [...(results.get(id) ?? [])].map(([server, outcome]) => {
    const bar = server === 'holdfast' ? BARS[id] : undefined;
    return {
      item: id,
      server,
      outcome: outcome.kind,
      ...(outcome.kind === 'measured'
        ? { median: outcome.median, all: outcome.all }
        : { reason: outcome.reason }),
      ...(bar !== undefined && {
        bar: judge(results, id, bar.bar),
        aim: judge(results, id, bar.aim),
      }),
    };
  }));
}
