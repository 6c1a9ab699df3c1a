/** What `holdfast verify status` says: plain data, and the same as lines for people. */
import { readStatus } from './coverage.ts';
import { readDays } from './day-tally.ts';
import type { DayFigure } from './day-tally.ts';
import { findExplanation } from './explanation.ts';
import type { Explanation } from './explanation.ts';
import { FINDING_KINDS } from './finding.ts';
import type { Finding } from './finding.ts';
import { VERIFIER_IDS } from './verifier.ts';
import type { VerifierId, VerifierStatus } from './verifier.ts';
import type { VerifyStore } from './verify-store.ts';

export interface VerifyReport {
  atMs: number;
  verifiers: (VerifierStatus & { openDamage: number; openNotices: number; days: DayFigure[] })[];
  /** Open ones first; at most FINDINGS_SHOWN_MAX. */
  findings: (Finding & { explanation?: Explanation })[];
  openDamage: number;
  openNotices: number;
  /** When planted faults were last all found; undefined: never. */
  provedMs: number | undefined;
}

export const FINDINGS_SHOWN_MAX = 200;

export function verifyReport(store: VerifyStore, nowMs: number): VerifyReport {
  const open = (id: VerifierId | undefined, severity: string): number => store.countFindings()
    .filter(({ verifier, kind, state }) => (id === undefined || verifier === id)
      && state === 'open' && FINDING_KINDS[kind].severity === severity)
    .reduce((sum, { count }) => sum + count, 0);
  return {
    atMs: nowMs,
    verifiers: VERIFIER_IDS.map((id) => ({
      ...readStatus(store, id, { nowMs }),
      openDamage: open(id, 'damage'), openNotices: open(id, 'notice'),
      days: readDays(store, id, nowMs),
    })),
    findings: store.listFindings({ limit: FINDINGS_SHOWN_MAX }).map((finding) => {
      const explanation = finding.state === 'explained'
        ? findExplanation(store, finding.id) : undefined;
      return { ...finding, ...(explanation !== undefined && { explanation }) };
    }),
    openDamage: open(undefined, 'damage'),
    openNotices: open(undefined, 'notice'),
    provedMs: store.findNote('proof', 'provedMs') as number | undefined,
  };
}

/** Lines of a report. `all`: with what was explained. */
export function verifyReportText(report: VerifyReport, { all = false } = {}): string[] {
  const { atMs, verifiers, findings, openDamage, openNotices, provedMs } = report;
  const rows = verifiers.map((status) => [
    status.id, checkedText(status), ageText(status.coverage.oldestUncheckedMs, atMs),
    lastRunText(status, atMs), String(status.openDamage + status.openNotices),
  ]);
  const lines = table([
    ['verifier', 'checked', 'oldest unchecked', 'last run', 'open'], ...rows,
  ]);
  lines.push('');
  lines.push(provedMs === undefined
    ? 'The verifiers have never been proved here. Do it with: holdfast verify prove'
    : `The verifiers were last proved ${ageText(provedMs, atMs)} ago.`);
  const shown = findings.filter(({ state }) => state === 'open');
  if (shown.length === 0) lines.push('Nothing is open.');
  else lines.push(`Open: ${openDamage} of damage, ${openNotices} notices.`, '');
  for (const finding of shown) lines.push(findingText(finding, atMs));
  const explained = findings.filter(({ state }) => state === 'explained');
  if (explained.length === 0) return lines;
  if (!all) return [...lines, `Explained: ${explained.length}. See them with --all.`];
  lines.push('', 'Explained:');
  for (const finding of explained) {
    lines.push(findingText(finding, atMs));
    const { explanation } = finding;
    if (explanation === undefined) continue;
    const { who, why } = explanation;
    lines.push(`    ${who}, ${ageText(explanation.atMs, atMs)} ago: ${why}`);
  }
  return lines;
}

function findingText(finding: Finding, atMs: number): string {
  const { id, severity, verifier, kind, where, firstSeenMs, lastSeenMs, times } = finding;
  const [first, last] = [ageText(firstSeenMs, atMs), ageText(lastSeenMs, atMs)];
  const seen = `first seen ${first} ago, last ${last} ago`;
  return `#${id} ${severity}: ${FINDING_KINDS[kind].says} (${verifier}, ${kind})\n`
    + `    ${where}; ${seen}, ${times} ${times === 1 ? 'time' : 'times'}`;
}

function checkedText({ coverage, unit, idleReason, lastBegunMs }: VerifierStatus): string {
  if (coverage.total === 0) return idleReason ?? (lastBegunMs === undefined ? 'never ran' : '-');
  const total = unit === 'bytes' ? sizeText(coverage.total) : `${coverage.total} items`;
  return `${percentText(coverage.checked, coverage.total)} of ${total}`;
}

function sizeText(sizeBytes: number): string {
  for (const [unit, factor] of [['TiB', 2 ** 40], ['GiB', 2 ** 30], ['MiB', 2 ** 20]] as const) {
    if (sizeBytes >= factor) return `${(sizeBytes / factor).toFixed(1)} ${unit}`;
  }
  return `${(sizeBytes / 1024).toFixed(1)} KiB`;
}

/** Never rounds up to all. */
function percentText(part: number, whole: number): string {
  if (part >= whole) return '100 %';
  return `${(Math.floor((part / whole) * 1000) / 10).toFixed(1)} %`;
}

function lastRunText({ lastBegunMs, lastEndedMs }: VerifierStatus, atMs: number): string {
  if (lastBegunMs === undefined) return '-';
  if (lastEndedMs === undefined || lastEndedMs < lastBegunMs) {
    return `began ${ageText(lastBegunMs, atMs)} ago`;
  }
  return `${ageText(lastEndedMs, atMs)} ago`;
}

const MINUTE_MS = 60_000;
const STEPS = [
  [24 * 60 * MINUTE_MS, 'd'], [60 * MINUTE_MS, 'h'], [MINUTE_MS, 'min'], [1_000, 's'],
] as const;

/** `3 h`, `12 min`; `-` for never. */
export function ageText(sinceMs: number | undefined, nowMs: number): string {
  if (sinceMs === undefined) return '-';
  const ageMs = Math.max(0, nowMs - sinceMs);
  for (const [stepMs, unit] of STEPS) {
    if (ageMs >= 2 * stepMs || stepMs === 1_000) return `${Math.floor(ageMs / stepMs)} ${unit}`;
  }
  return '-';
}

/** Columns, two blanks apart. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length))) ?? [];
  return rows.map((row) => row
    .map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd());
}
