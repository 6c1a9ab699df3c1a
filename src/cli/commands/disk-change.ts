import { EXIT } from '../command.ts';
import type { Command, CommandFlag } from '../command.ts';
import {
  DISK_EXITS, DISK_FLAGS, diskAsker, onlyPlanned, showPlan, YES_FLAG,
} from '../disk-command.ts';
import type { DiskParts, PlanText } from '../disk-command.ts';
import { TENANT_FLAG } from '../tenant-flag.ts';

export function diskDrain(parts: DiskParts): Command {
  return changing(parts, {
    action: 'drain', title: 'Drain', flags: [],
    summary: 'Copy everything on a disk elsewhere and verify it, so that the disk can go',
    after: 'The server is copying. See: holdfast disk list. Then: holdfast disk retire',
  });
}

export function diskUndrain(parts: DiskParts): Command {
  return changing(parts, {
    action: 'undrain', title: 'Keep', flags: [],
    summary: 'Take a drain back: the disk stays', after: 'The disk takes new volumes again.',
  });
}

export function diskRetire(parts: DiskParts): Command {
  return changing(parts, {
    action: 'retire', title: 'Retire',
    summary: 'Let a disk go for good: one that was drained, or one that is gone',
    flags: [{
      flags: '--accept-loss', docs: 'also when volumes have no copy elsewhere and the disk is gone',
    }],
    after: 'Nobody waits for this disk any more. It can be taken away.',
  });
}

interface Change {
  readonly action: string;
  readonly title: string;
  readonly summary: string;
  readonly flags: readonly CommandFlag[];
  readonly after: string;
}

function changing(parts: DiskParts, { action, title, summary, flags, after }: Change): Command {
  return {
    name: `disk ${action}`,
    summary,
    args: [{ name: '<disk>', docs: 'its id, as "disk list" shows it' }],
    flags: [...DISK_FLAGS, TENANT_FLAG, YES_FLAG, ...flags],
    exits: DISK_EXITS,
    async run(terminal, input) {
      const ask = await diskAsker(parts, input);
      const acceptLoss = input.flags['accept-loss'] === true;
      const order = { action, diskId: input.args[0] ?? '', acceptLoss };
      const plan = await ask('disk.plan', order);
      const isPossible = showPlan(terminal, title, plan as unknown as PlanText);
      if (!isPossible || input.flags['yes'] !== true) return onlyPlanned(terminal, isPossible);
      await ask('disk.apply', { ...order, plan });
      terminal.print(after);
      return EXIT.done;
    },
  };
}
