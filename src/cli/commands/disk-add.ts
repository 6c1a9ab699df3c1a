import { resolve } from 'node:path';
import { EXIT, flagText } from '../command.ts';
import type { Command } from '../command.ts';
import {
  DISK_EXITS, DISK_FLAGS, diskAsker, onlyPlanned, showPlan, YES_FLAG,
} from '../disk-command.ts';
import type { Answer, DiskParts, PlanText } from '../disk-command.ts';
import { TENANT_FLAG } from '../tenant-flag.ts';

export function diskAdd(parts: DiskParts): Command {
  return {
    name: 'disk add',
    summary: 'Add a disk: a folder of this machine, or all disks of a filer',
    args: [{ name: '[folder]', docs: 'where the disk is mounted; it must be empty' }],
    flags: [
      ...DISK_FLAGS, TENANT_FLAG, YES_FLAG,
      { flags: '--filer <address>', docs: 'host:port of a filer, instead of a folder' },
      { flags: '--host <label>', docs: 'what it shares with others: its machine' },
      { flags: '--rack <label>', docs: '... its rack' },
      { flags: '--zone <label>', docs: '... its building or region' },
    ],
    details: `
Examples:
  holdfast disk add /mnt/disk2 --yes
  holdfast disk add --filer 10.0.0.5:8421 --rack r2 --yes`,
    exits: DISK_EXITS,
    async run(terminal, input) {
      const [folder] = input.args;
      const filer = flagText(input, 'filer');
      if ((folder === undefined) === (filer === undefined)) {
        terminal.complain('Name either a folder, or a filer with --filer.');
        return EXIT.usage;
      }
      const order = {
        place: filer === undefined ? resolve(folder ?? '') : `filer:${filer}`,
        host: flagText(input, 'host') ?? '', rack: flagText(input, 'rack') ?? '',
        zone: flagText(input, 'zone') ?? '',
      };
      const ask = await diskAsker(parts, input);
      const planned = await ask('disk.add', { ...order, confirmed: false });
      const plans = planned['plans'] as readonly PlanText[];
      const possible = plans.map((plan) => showPlan(terminal, 'Add', plan));
      if (plans.length === 0) terminal.print('All disks there are in use already.');
      if (plans.length === 0) return EXIT.done;
      if (possible.includes(false)) return EXIT.refused;
      if (input.flags['yes'] !== true) return onlyPlanned(terminal, true);
      const done = await ask('disk.add', { ...order, confirmed: true });
      terminal.print('Done. See: holdfast disk list');
      for (const line of whenUsed(done)) terminal.print(line);
      return EXIT.done;
    },
  };
}

/** Of the first disk that was added. */
function whenUsed({ use, reason }: Answer): string[] {
  if (use === 'soon') {
    return ['The server uses it as soon as it has collected garbage, which it is doing now; or '
      + 'from its next start on.'];
  }
  if (use !== 'start') return [];
  const then = 'then everything gets its copies.';
  if (typeof reason !== 'string') return [`The server uses it from its next start on: ${then}`];
  return [
    `The running server could not use it yet: ${reason}`,
    'It goes on with the one disk. When that is mended, start the server again: ' + then,
  ];
}
