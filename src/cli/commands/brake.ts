/** Devices that were held back by the mass-change brake, for operators: what is held, and the
 *  decision. A server may run. */
import type { BatchRecord, QuarantineRecord } from '../../metadata/index.ts';
import { EXIT } from '../command.ts';
import type { Command, CommandInput, Terminal } from '../command.ts';
import { asker, DISK_EXITS, DISK_FLAGS, onlyPlanned, YES_FLAG } from '../disk-command.ts';
import type { Answer, DiskParts } from '../disk-command.ts';

const ID = { name: '<id>', docs: 'its number, as "brake list" shows it' };
/** Of one answer, and so of one `show`. */
const SHOWN_MAX = 1_000;

interface Held {
  readonly id: number;
  readonly kind: 'deleted' | 'content';
  readonly nodeKind: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly path?: readonly string[];
}

export function brakeCommands(parts: DiskParts): Command[] {
  return [brakeList(parts), brakeShow(parts), brakeKeep(parts), brakeUndo(parts)];
}

function brakeList(parts: DiskParts): Command {
  return {
    name: 'brake list', summary: 'List devices whose deletions and overwrites are held back',
    details: 'Columns: number, state, since, user, device, space, held changes, held bytes.',
    flags: [...DISK_FLAGS, { flags: '--all', docs: 'also those that were decided' }],
    exits: DISK_EXITS,
    async run(terminal, input) {
      const ask = await asker(parts, input);
      const answer = await ask('brake.list', { all: input.flags['all'] === true });
      const quarantines = answer['quarantines'] as readonly QuarantineRecord[];
      for (const quarantine of quarantines) terminal.print(lineOf(quarantine));
      if (quarantines.length === 0) terminal.complain('No device is held back.');
      return EXIT.done;
    },
  };
}

function brakeShow(parts: DiskParts): Command {
  return {
    name: 'brake show', summary: 'Show what of a device is held',
    details: 'Columns: deleted or changed, path, bytes. What the device had done before it was\n'
      + 'held back is in the trash and among the versions: "history restore" brings it back.',
    args: [ID], flags: DISK_FLAGS, exits: DISK_EXITS,
    async run(terminal, input) {
      const ask = await asker(parts, input);
      const answer = await ask('brake.show', { id: idOf(input) });
      const quarantine = answer['quarantine'] as QuarantineRecord;
      const held = answer['held'] as readonly Held[];
      terminal.print(lineOf(quarantine));
      for (const each of held) terminal.print(heldLine(each));
      const more = quarantine.heldCount - held.length;
      if (held.length === SHOWN_MAX && more > 0) terminal.complain(`… and ${more} more.`);
      return EXIT.done;
    },
  };
}

function brakeKeep(parts: DiskParts): Command {
  return {
    name: 'brake keep', summary: 'Make for everybody what a device has deleted and overwritten',
    details: 'What others have changed meanwhile stays: held content then becomes a file beside\n'
      + 'it. It is one batch: "history undo" takes it back. Also after "brake undo".',
    args: [ID], flags: [...DISK_FLAGS, YES_FLAG], exits: DISK_EXITS,
    async run(terminal, input) {
      const ask = await asker(parts, input);
      const id = idOf(input);
      if (input.flags['yes'] !== true) {
        return showPlan(terminal, await ask('brake.show', { id }), 'is made for everybody');
      }
      const answer = await ask('brake.keep', { id });
      const { id: batchId, state, doneCount, skippedCount } = answer['batch'] as BatchRecord;
      const { heldCount, state: now } = answer['quarantine'] as QuarantineRecord;
      if (state === 'running') {
        terminal.complain(`Batch ${batchId} could not go on. It does so at the next start of the `
          + 'server; its log says why it stopped.');
        return EXIT.failed;
      }
      terminal.print(
        `batch ${batchId}: ${doneCount} made, ${skippedCount} left as others have them`,
      );
      if (now !== 'open') return EXIT.done;
      terminal.complain(`${heldCount} are still held: something is locked, or there is no room for `
        + 'it. Clear that and say the same again.');
      return EXIT.failed;
    },
  };
}

function brakeUndo(parts: DiskParts): Command {
  return {
    name: 'brake undo', summary: 'Make nothing of what is held: the device gets the files back',
    details: 'What is held is kept as long as the trash: until then "brake keep" makes it after\n'
      + 'all. What the device had done before it was held back is in the trash and among the\n'
      + 'versions: see "history restore".',
    args: [ID], flags: [...DISK_FLAGS, YES_FLAG], exits: DISK_EXITS,
    async run(terminal, input) {
      const ask = await asker(parts, input);
      const id = idOf(input);
      if (input.flags['yes'] !== true) {
        return showPlan(terminal, await ask('brake.show', { id }), 'is not made');
      }
      const answer = await ask('brake.undo', { id });
      const { device } = answer['quarantine'] as QuarantineRecord;
      terminal.print(`quarantine ${id}: undone; ${device} sees the files as everybody does. `
        + `"brake keep ${id}" makes it after all, as long as the trash is kept.`);
      return EXIT.done;
    },
  };
}

function showPlan(terminal: Terminal, answer: Answer, fate: string): number {
  const { device, user, heldCount, heldBytes } = answer['quarantine'] as QuarantineRecord;
  terminal.print(`What is held of the device ${device} of ${user} ${fate}: ${heldCount} files and `
    + `folders, ${heldBytes} bytes of new content. "brake show" lists them.`);
  return onlyPlanned(terminal, true);
}

function lineOf(quarantine: QuarantineRecord): string {
  const { id, state, openedAt, user, device, spaceId, heldCount, heldBytes } = quarantine;
  return [
    id, state, new Date(openedAt).toISOString(), user, device, spaceId, heldCount, heldBytes,
  ].join('\t');
}

function heldLine({ kind, nodeKind, name, path, sizeBytes }: Held): string {
  const shown = path?.join('/') ?? `${name} (deleted meanwhile)`;
  return [
    kind === 'deleted' ? 'deleted' : 'changed', nodeKind === 'folder' ? `${shown}/` : shown,
    sizeBytes,
  ].join('\t');
}

function idOf(input: CommandInput): number {
  return Number(input.args[0] ?? '');
}
