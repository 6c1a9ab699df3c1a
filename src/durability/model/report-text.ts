/** The report for people. The JSON has the same numbers for programs. */
import { ASSUMPTIONS } from './assumptions-table.ts';
import type { AssumptionReport, ClassReport, DurabilityReport, EvidenceReport, YearlyChance }
  from './report.ts';
import type { Unit } from './assumptions-table.ts';
import type { Redundancy } from './fleet.ts';

const COLUMNS = 100;

/** Lines of at most 100 columns, the last one without a line feed. */
export function durabilityText(report: DurabilityReport): string {
  return [
    ...headline(report),
    '', 'By storage class: the chance, within a year, to lose',
    ...table(
      ['class', 'kept as', 'across', 'volumes', 'any block', 'any volume', 'a given one'],
      report.classes.map(classRow),
    ),
    ...remarks(report.classes),
    '', 'What this rests on',
    ...table(['', 'figure', 'origin', ''], report.assumptions.map(assumptionRow)),
    ...influenceLines(report),
    ...remedyLines(report),
    ...evidenceLines(report.evidence, report.anyBlock),
    '', ...wrapped(CAVEAT),
  ].join('\n');
}

const CAVEAT = [
  'The model knows failures of disks, hosts, racks and zones, damage that nobody sees, and',
  'repair. It knows nothing of bugs, of mistaken or stolen administrators, or of disks of one',
  'batch that die in one week. Past about eleven nines these are what loses data: an off-site',
  'copy that nobody here can delete helps against them, more nines do not.',
].join(' ');

function headline({ anyBlock, anyVolume, disks }: DurabilityReport): string[] {
  return [
    `Durability of this fleet (${disks} ${disks === 1 ? 'disk' : 'disks'})`,
    '',
    `  chance to lose any block within a year         ${chance(anyBlock)}`,
    `  chance to lose any whole volume within a year  ${chance(anyVolume)}`,
  ];
}

/** `1 in 3.1e11 (11.5 nines)`. */
export function chance({ probability, nines }: YearlyChance): string {
  if (nines === undefined) return 'none that the model knows';
  if (probability > 0.1) return `${number(probability * 100)} %`;
  return `1 in ${number(1 / probability)} (${nines.toFixed(1)} nines)`;
}

function shortChance({ probability, nines }: YearlyChance): string {
  if (nines === undefined) return 'none';
  return probability > 0.1 ? `${number(probability * 100)} %` : `${nines.toFixed(1)} nines`;
}

function classRow(kept: ClassReport): string[] {
  const { name, redundancy, spread, volumes, anyBlock, anyVolume, oneVolume } = kept;
  const how = keptAs(redundancy) + (kept.offsite ? ' + off-site' : '');
  return [
    name, how, `${spread}s`, number(volumes),
    shortChance(anyBlock), shortChance(anyVolume), shortChance(oneVolume),
  ];
}

function keptAs(redundancy: Redundancy): string {
  if (redundancy.kind === 'erasure') return `${redundancy.data} + ${redundancy.parity} shards`;
  return redundancy.copies === 1 ? '1 copy' : `${redundancy.copies} copies`;
}

function remarks(classes: readonly ClassReport[]): string[] {
  return classes.flatMap(({ name, remarks: said }) => {
    return said.flatMap((remark) => wrapped(`${name}: ${remark}`, '  ! '));
  });
}

function assumptionRow({ name, label, value, origin, meaning }: AssumptionReport): string[] {
  return [label, quantity(value, ASSUMPTIONS[name].unit), origin, meaning];
}

function influenceLines({ influences }: DurabilityReport): string[] {
  const felt = influences.filter(({ elasticity }) => Math.abs(elasticity) >= 0.005).slice(0, 6);
  const [first] = felt;
  if (first === undefined) return [];
  const rows = felt.map(({ name, elasticity, ifTwiceAsBad, shareOfLoss, origin }) => [
    ASSUMPTIONS[name].label, elasticity.toFixed(2), `${Number(ifTwiceAsBad.toPrecision(3))} times`,
    shareOfLoss === undefined ? '' : percent(shareOfLoss), origin,
  ]);
  const dominant = ASSUMPTIONS[first.name].label;
  const guess = ', which nobody has measured here: that is the figure to find out';
  const advice = `Most depends on "${dominant}"${first.origin === 'default' ? guess : ''}.`;
  return [
    '', 'What counts most (1 % more of it changes the loss by so many per cent)',
    ...table(['', 'per 1 %', 'twice as bad', 'share of loss', 'origin'], rows),
    ...wrapped(advice),
  ];
}

function remedyLines(report: DurabilityReport): string[] {
  if (report.remedies.length === 0) return [];
  const rows = report.remedies.map(({ what, remains }) => [what, smaller(remains)]);
  return ['', 'What would help', ...table(['', 'loss'], rows)];
}

function smaller(remains: number): string {
  return remains > 0.5 ? `${percent(1 - remains)} less` : `${number(1 / remains)} times less`;
}

function evidenceLines(evidence: EvidenceReport | undefined, model: YearlyChance): string[] {
  const title = ['', 'What the verifiers saw'];
  if (evidence === undefined) {
    return [...title, '  Nothing yet: no verifier has finished a round.'];
  }
  const { counts, blockLoss, damage, disks, waiting, conclusions, verdict } = evidence;
  const rows = [
    ['blocks checked', number(counts.blocksChecked),
      `${percent(counts.coverage)} of all at least once in ${quantity(counts.periodMs, 'ms')}`],
    ['found damaged', number(counts.blocksBad),
      `${number(counts.repairsDone)} repaired, ${number(waiting)} waiting`],
    ['lost', number(counts.blocksLost), ''],
    ['loss of a block', atMost(blockLoss.atMost), 'a year, with 95 % confidence'],
    ['silent damage', atMost(damage.atMost), 'per TB and year, with 95 % confidence'],
    ...(disks === undefined ? [] : [
      ['disks lost', atMost(disks.atMost), 'per disk and year, with 95 % confidence'],
    ]),
  ];
  const words = verdict === 'agrees'
    ? [`Nothing seen contradicts the model. What was seen proves ${nines(blockLoss.atMost)} for ` +
        `a block; the model's ${shortChance(model)} for the whole rest on its assumptions.`]
    : [];
  return [
    ...title, ...table(['', '', ''], rows).slice(1),
    ...[...conclusions, ...words].flatMap((sentence) => wrapped(sentence)),
  ];
}

function atMost(perYear: number): string {
  if (!Number.isFinite(perYear)) return 'unknown';
  return `at most ${perYear >= 1e-3 ? number(perYear) : `1 in ${number(1 / perYear)}`}`;
}

function nines(perYear: number): string {
  if (!Number.isFinite(perYear) || perYear >= 1) return 'nothing';
  return `${(-Math.log10(perYear)).toFixed(1)} nines`;
}

/** Columns as wide as their widest cell, two spaces apart; the last one is wrapped. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, at) => Math.max(...all.map((row) => (row[at] ?? '').length)));
  return all.flatMap((row) => {
    const cells = row.slice(0, -1).map((cell, at) => cell.padEnd(widths[at] as number));
    const front = `  ${cells.join('  ')}  `;
    return wrapped(row.at(-1) as string, front).map((line) => line.trimEnd());
  });
}

/** `front` stands before the first line, spaces before the others. */
function wrapped(text: string, front = '  '): string[] {
  const lines: string[] = [];
  let line = front;
  for (const [at, word] of text.split(' ').entries()) {
    if (at > 0 && line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = ' '.repeat(front.length) + word;
    } else {
      line += at === 0 ? word : ` ${word}`;
    }
  }
  return [...lines, line];
}

function number(value: number): string {
  if (value !== 0 && (value >= 1e7 || value < 1e-3)) return value.toExponential(1).replace('+', '');
  if (value >= 100) {
    return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ' ');
  }
  return String(Number(value.toPrecision(2)));
}

function percent(share: number): string {
  const value = share * 100;
  if (value > 99 && value < 100) return `${value.toPrecision(4)} %`;
  return `${Number(value.toPrecision(2))} %`;
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

function quantity(value: number, unit: Unit): string {
  switch (unit) {
    case 'ms': return duration(value);
    case 'share': return percent(value);
    case 'per-year': return `${number(value)} a year`;
    case 'per-terabyte-year': return `${number(value)} per TB and year`;
    case 'bytes-per-second': return `${number(value / 1e6)} MB/s`;
  }
}

function duration(ms: number): string {
  const units: readonly (readonly [number, string])[] = [
    [DAY_MS, 'd'], [HOUR_MS, 'h'], [MINUTE_MS, 'min'], [SECOND_MS, 's'],
  ];
  const [size, name] = units.find(([unitMs]) => ms >= unitMs) ?? [1, 'ms'];
  return `${Number((ms / size).toPrecision(3))} ${name}`;
}
