import { resolve } from 'node:path';
import { EXIT, flagText } from '../command.ts';
import type { Command } from '../command.ts';
import {
  DISK_EXITS, DISK_FLAGS, diskAsker, onlyPlanned, showPlan, YES_FLAG,
} from '../disk-command.ts';
import type { DiskParts, PlanText } from '../disk-command.ts';
import { TENANT_FLAG } from '../tenant-flag.ts';

/** Anything else is a folder. */
const FILER = /^(?:filer:)?([^/].*):(\d{1,5})(?:\/.*)?$/;

export function diskMove(parts: DiskParts): Command {
  return {
    name: 'disk move',
    summary: 'Say that a disk stands elsewhere now: in another folder, or on another filer',
    args: [
      { name: '<disk>', docs: 'its id, as "disk list" shows it' },
      { name: '<place>', docs: 'the folder where it is mounted, or host:port of its filer' },
    ],
    flags: [
      ...DISK_FLAGS, TENANT_FLAG, YES_FLAG,
      { flags: '--host <label>', docs: 'what it shares with others now: its machine' },
      { flags: '--rack <label>', docs: '... its rack' },
      { flags: '--zone <label>', docs: '... its building or region' },
    ],
    details: `
The disk there must be that disk, of this cluster, and must not be at its old place as well. Nothing
is copied; its copies are compared with the others before they count again.

Examples:
  holdfast disk move 709e5b8f-0f3c-4a55-9d0e-5d1f0c8a7b66 /mnt/slot3 --yes
  holdfast disk move 709e5b8f-0f3c-4a55-9d0e-5d1f0c8a7b66 10.0.0.7:8421 --yes`,
    exits: DISK_EXITS,
    async run(terminal, input) {
      const [diskId, place] = input.args;
      if (diskId === undefined || place === undefined) {
        terminal.complain('Name the disk, and where it is now.');
        return EXIT.usage;
      }
      const order = {
        diskId, place: placeOf(place), host: flagText(input, 'host') ?? '',
        rack: flagText(input, 'rack') ?? '', zone: flagText(input, 'zone') ?? '',
      };
      const ask = await diskAsker(parts, input);
      const plan = await ask('disk.move', { ...order, confirmed: false });
      const isPossible = showPlan(terminal, 'Move', plan as unknown as PlanText);
      if (!isPossible || input.flags['yes'] !== true) return onlyPlanned(terminal, isPossible);
      await ask('disk.move', { ...order, confirmed: true });
      terminal.print('Done. See: holdfast disk list');
      return EXIT.done;
    },
  };
}

function placeOf(place: string): string {
  const [, host, port] = /^\.{0,2}\//.test(place) ? [] : (FILER.exec(place) ?? []);
  return host === undefined ? resolve(place) : `filer:${host}:${port ?? ''}`;
}
