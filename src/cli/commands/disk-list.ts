import { EXIT } from '../command.ts';
import type { Command, Terminal } from '../command.ts';
import { DISK_EXITS, DISK_FLAGS, diskAsker, inGib } from '../disk-command.ts';
import type { Answer, DiskParts } from '../disk-command.ts';
import { TENANT_FLAG } from '../tenant-flag.ts';
import { erasureLines, type ErasureRow } from './erasure-lines.ts';

interface DiskRow {
  id: string;
  labels: { host: string; rack: string; zone: string };
  where: string;
  state: string;
  answers: boolean;
  silentMs?: number;
  refusal?: { code: string; count: number; retryMs: number };
  freeBytes?: number;
  totalBytes?: number;
  volumeCount: number;
  volumeBytes: number;
  neededCount: number;
}

interface RepairRow {
  volumesWaiting: number;
  toDoBytes: number;
  doneBytes: number;
  bytesPerSecond?: number;
  remainingMs?: number;
  current?: { volumeId: number; doneBytes: number; sizeBytes: number };
  blocked: readonly { volumeId: number; reason: string }[];
  damaged: readonly DamagedRow[];
}

interface DamagedRow {
  volumeId: number;
  diskIds: readonly string[];
  awayIds: readonly string[];
  reason?: string;
}

interface OutlookRow {
  copies: number;
  reason?: string;
}

/** So many volumes are named; the others are counted. */
const NAMED_MAX = 20;

export function diskList(parts: DiskParts): Command {
  return {
    name: 'disk list',
    summary: 'Show all disks, what lies on them, and what is being repaired',
    flags: [
      ...DISK_FLAGS, TENANT_FLAG,
      { flags: '--all', docs: 'retired disks too' },
      { flags: '--json', docs: 'all figures, for programs' },
    ],
    exits: DISK_EXITS,
    async run(terminal, input) {
      const ask = await diskAsker(parts, input);
      const answer = await ask('disk.list', { all: input.flags['all'] === true });
      if (input.flags['json'] === true) terminal.print(JSON.stringify(answer, undefined, 2));
      else show(terminal, answer);
      return EXIT.done;
    },
  };
}

function show(terminal: Terminal, answer: Answer): void {
  if (answer['single'] === true) {
    const stored = inGib(Number(answer['storedBytes']));
    terminal.print(`One disk: the folder "volumes" in the data directory, with ${stored}.`);
    const added = Number(answer['addedCount']);
    terminal.print(`There is one copy of everything. ${added === 0
      ? 'Add a disk with: holdfast disk add <folder>'
      : `${counted(added, 'more disk')} ${added === 1 ? 'was' : 'were'} added: `
        + 'start the server again to use them.'}`);
    return;
  }
  const { copies, acksMin, domain } = answer['policy'] as Record<string, string>;
  terminal.print(`${copies} ${copies === '1' ? 'copy' : 'copies'}, each in another ${domain}; `
    + `stored means on ${acksMin} of them.`);
  const disks = answer['disks'] as readonly DiskRow[];
  for (const disk of disks) terminal.print(rowOf(disk));
  for (const line of outlookOf(answer['newVolumes'] as OutlookRow)) terminal.print(line);
  const repair = answer['repair'] as RepairRow;
  const silent = disks.filter((disk) => !disk.answers && disk.state !== 'retired');
  for (const disk of silent) terminal.print(whatBecomesOf(disk, Number(answer['missingAfterMs'])));
  for (const disk of disks) for (const line of refusalOf(disk)) terminal.print(line);
  for (const line of damageOf(repair.damaged)) terminal.print(line);
  if (repair.volumesWaiting === 0) {
    terminal.print(silent.some(({ state }) => state !== 'missing')
      ? 'Every volume has all its copies, if those disks come back with theirs.'
      : 'Every volume has all its copies.');
  } else showRepair(terminal, repair, answer['serving'] === true);
  const erasure = answer['erasure'] as ErasureRow | undefined;
  for (const line of erasureLines(erasure)) terminal.print(line);
  for (const disk of disks) for (const line of nextOf(disk)) terminal.print(line);
}

/** What has to be copied, how far that is, and what stands in the way. */
function showRepair(terminal: Terminal, repair: RepairRow, isServing: boolean): void {
  const { volumesWaiting, toDoBytes, doneBytes, current, damaged } = repair;
  const { length: blockedCount } = repair.blocked;
  const canEnd = repair.remainingMs !== undefined && blockedCount < volumesWaiting;
  const which = blockedCount > 0 ? ' for what can be copied' : '';
  const left = canEnd ? `, about ${minutes(repair.remainingMs ?? 0)} left${which}` : '';
  const lacking = volumesWaiting === 1 ? 'lacks' : 'lack';
  terminal.print(`${counted(volumesWaiting, 'volume')} ${lacking} copies: `
    + `${inGib(toDoBytes)} to copy${left}; ${inGib(doneBytes)} copied since the start.`);
  if (current !== undefined) {
    const percent = Math.floor((current.doneBytes / Math.max(1, current.sizeBytes)) * 100);
    terminal.print(`  volume ${current.volumeId} is being copied: ${Math.min(100, percent)} % of `
      + `${inGib(current.sizeBytes)}${rateOf(repair)}`);
  }
  const named = new Set(damaged.map(({ volumeId }) => volumeId));
  const reasons = new Map<string, number[]>();
  for (const { volumeId, reason } of repair.blocked.filter((one) => !named.has(one.volumeId))) {
    reasons.set(reason, [...(reasons.get(reason) ?? []), volumeId]);
  }
  for (const [reason, ids] of reasons) {
    terminal.print(`  ${ids.length === 1 ? 'volume' : 'volumes'} ${listed(ids)} `
      + `${ids.length === 1 ? 'waits' : 'wait'}: ${reason}`);
  }
  if (!isServing) terminal.print('No server runs on this data. Copies are made while one does.');
}

function rateOf({ bytesPerSecond }: RepairRow): string {
  return bytesPerSecond === undefined ? '' : `, at ${inGib(bytesPerSecond)} a second`;
}

/** May new files be stored, and as often as they should? */
function outlookOf({ copies, reason }: OutlookRow): string[] {
  if (reason === undefined) return [];
  if (copies === 0) {
    return [`NEW FILES ARE REFUSED: ${reason}. Add a disk, or bring one back.`];
  }
  return [`New files get ${copies === 1 ? '1 copy' : `${copies} copies`} for now: ${reason}. The `
    + 'others are made by themselves as soon as there is a disk for them.'];
}

function refusalOf({ id, refusal }: DiskRow): string[] {
  if (refusal === undefined) return [];
  const { code, count, retryMs } = refusal;
  const again = retryMs > 0 ? `in ${minutes(retryMs)}` : 'soon';
  return [`${id} answers, but refused what was written to it (${code}, ${count} times in a row): `
    + `copies go elsewhere, and it is tried again ${again}. Look at its mount and at the system's `
    + `log; if it is dying: holdfast disk drain ${id}`];
}

/** Volumes that no copying can mend: the operator has to act, so it says how. */
function damageOf(damaged: readonly DamagedRow[]): string[] {
  if (damaged.length === 0) return [];
  const lines = [`${counted(damaged.length, 'volume')} ${damaged.length === 1 ? 'HAS' : 'HAVE'} NO `
    + 'SOUND COPY: what is damaged there cannot be read, the rest can.'];
  for (const { volumeId, diskIds, awayIds, reason } of damaged.slice(0, NAMED_MAX)) {
    const on = diskIds.length === 0 ? 'no disk that answers' : diskIds.join(', ');
    lines.push(`  volume ${volumeId}, on ${on}: ${reason ?? 'it is being put together'}`);
    if (awayIds.length === 0) continue;
    lines.push(`    Bring back ${awayIds.join(', ')}: it may be whole there.`);
  }
  if (damaged.length > NAMED_MAX) lines.push(`  ... and ${damaged.length - NAMED_MAX} more`);
  lines.push('  What to do: docs/runbooks/restore-one-volume.md. Details: holdfast verify run');
  return lines;
}

/** What the operator is waiting for may be there already. */
function nextOf({ id, state, neededCount, answers }: DiskRow): string[] {
  if (state !== 'draining' || neededCount > 0 || !answers) return [];
  return [`${id} is drained: nothing on it is needed any more. Next: holdfast disk retire ${id}`];
}

function listed(ids: readonly number[]): string {
  const more = ids.length > NAMED_MAX ? `, and ${ids.length - NAMED_MAX} more` : '';
  return `${ids.slice(0, NAMED_MAX).join(', ')}${more}`;
}

function rowOf(disk: DiskRow): string {
  const { id, state, answers, freeBytes, totalBytes, volumeCount, volumeBytes, labels } = disk;
  const room = freeBytes === undefined || totalBytes === undefined ? 'room unknown'
    : `${inGib(freeBytes)} of ${inGib(totalBytes)} free`;
  const silent = answers || state === 'retired' ? '' : ', DOES NOT ANSWER';
  const refuses = disk.refusal === undefined ? '' : ', REFUSES WRITES';
  const needed = state === 'draining' ? `, ${disk.neededCount} still to be copied` : '';
  return `${id}  ${state}${silent}${refuses}${needed}\n    ${disk.where}\n`
    + `    host ${labels.host}, rack ${labels.rack}, zone ${labels.zone}; `
    + `${counted(volumeCount, 'volume')}, ${inGib(volumeBytes)}; ${room}`;
}

/** Nobody should have to guess whether to wait or to act. */
function whatBecomesOf({ id, state, silentMs }: DiskRow, missingAfterMs: number): string {
  if (state === 'missing') {
    return `${id} is taken for lost: its copies are made anew on other disks. If it comes back, it `
      + `is compared and used again; if not: holdfast disk retire ${id}. If it stands elsewhere: `
      + `holdfast disk move ${id} <place>`;
  }
  const leftMs = Math.max(0, missingAfterMs - (silentMs ?? 0));
  return `${id} does not answer: its volumes are read from other disks. If that lasts another `
    + `${minutes(leftMs)}, its copies are made anew.`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function minutes(ms: number): string {
  return ms < 60_000 ? `${Math.ceil(ms / 1000)} s` : `${Math.ceil(ms / 60_000)} min`;
}
