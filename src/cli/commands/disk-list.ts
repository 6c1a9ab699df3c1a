import { EXIT } from '../command.ts';
import type { Command, Terminal } from '../command.ts';
import { asker, DISK_EXITS, DISK_FLAGS, inGib } from '../disk-command.ts';
import type { Answer, DiskParts } from '../disk-command.ts';

interface DiskRow {
  id: string;
  labels: { host: string; rack: string; zone: string };
  where: string;
  state: string;
  answers: boolean;
  silentMs?: number;
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
  remainingMs?: number;
  blocked: readonly { volumeId: number; reason: string }[];
}

export function diskList(parts: DiskParts): Command {
  return {
    name: 'disk list',
    summary: 'Show all disks, what lies on them, and what is being repaired',
    flags: [
      ...DISK_FLAGS,
      { flags: '--all', docs: 'retired disks too' },
      { flags: '--json', docs: 'all figures, for programs' },
    ],
    exits: DISK_EXITS,
    async run(terminal, input) {
      const ask = await asker(parts, input);
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
  terminal.print(`${copies} copies, each in another ${domain}; `
    + `stored means on ${acksMin} of them.`, );
  const disks = answer['disks'] as readonly DiskRow[];
  for (const disk of disks) terminal.print(rowOf(disk));
  const repair = answer['repair'] as RepairRow;
  const silent = disks.filter((disk) => !disk.answers && disk.state !== 'retired');
  for (const disk of silent) terminal.print(whatBecomesOf(disk, Number(answer['missingAfterMs'])));
  if (repair.volumesWaiting === 0) {
    terminal.print(silent.some(({ state }) => state !== 'missing')
      ? 'Every volume has all its copies, if those disks come back with theirs.'
      : 'Every volume has all its copies.');
    return;
  }
  const canEnd = repair.remainingMs !== undefined && repair.blocked.length === 0;
  const left = canEnd ? `, about ${minutes(repair.remainingMs ?? 0)} left` : '';
  const lacking = repair.volumesWaiting === 1 ? 'lacks' : 'lack';
  terminal.print(`${counted(repair.volumesWaiting, 'volume')} ${lacking} copies: `
    + `${inGib(repair.toDoBytes)} to copy, ${inGib(repair.doneBytes)} copied${left}.`);
  for (const { volumeId, reason } of repair.blocked.slice(0, 20)) {
    terminal.print(`  volume ${volumeId} waits: ${reason}`);
  }
}

function rowOf(disk: DiskRow): string {
  const { id, state, answers, freeBytes, totalBytes, volumeCount, volumeBytes, labels } = disk;
  const room = freeBytes === undefined || totalBytes === undefined ? 'room unknown'
    : `${inGib(freeBytes)} of ${inGib(totalBytes)} free`;
  const silent = answers || state === 'retired' ? '' : ', DOES NOT ANSWER';
  const needed = state === 'draining' ? `, ${disk.neededCount} still to be copied` : '';
  return `${id}  ${state}${silent}${needed}\n    ${disk.where}\n`
    + `    host ${labels.host}, rack ${labels.rack}, zone ${labels.zone}; `
    + `${counted(volumeCount, 'volume')}, ${inGib(volumeBytes)}; ${room}`;
}

/** Nobody should have to guess whether to wait or to act. */
function whatBecomesOf({ id, state, silentMs }: DiskRow, missingAfterMs: number): string {
  if (state === 'missing') {
    return `${id} is taken for lost: its copies are made anew on other disks. If it comes back, it `
      + 'is compared and used again; if not: holdfast disk retire';
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
