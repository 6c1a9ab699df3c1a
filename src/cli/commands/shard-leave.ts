/** How a database of metadata leaves: it takes no new tenants, is emptied, and removed. */
import { EXIT, flagText } from '../command.ts';
import type { Command, CommandInput, Terminal } from '../command.ts';
import { asker, DISK_FLAGS } from '../disk-command.ts';
import type { DiskParts } from '../disk-command.ts';

interface Shard {
  readonly number: number;
  readonly name: string;
}

/** As the server tells it. */
interface Drain {
  readonly shard: number;
  readonly state: 'draining' | 'done' | 'stopped';
  readonly isPaused: boolean;
  readonly atOnce: number;
  readonly total: number;
  readonly moving: readonly string[];
  readonly waiting: readonly string[];
  readonly troubles: readonly string[];
}

const SHARD_ARG = { name: '<shard>', docs: 'its number or its name: see "shard list"' };
const EXITS = {
  0: 'done, or begun', 1: 'failed, with the reason on screen', 2: 'wrong usage',
  3: 'refused: see the message',
};
const WORDS = ['status', 'pause', 'resume', 'stop'] as const;
const LISTED_MAX = 5;

export function shardLeavingCommands(parts: DiskParts): Command[] {
  return [shardClose(parts), shardOpen(parts), shardDrain(parts), shardRemove(parts)];
}

function shardClose(parts: DiskParts): Command {
  return {
    name: 'shard close', summary: 'Let a database take no new tenants; those that are there stay',
    args: [SHARD_ARG], flags: DISK_FLAGS, exits: EXITS,
    async run(terminal, input) {
      const ask = await asker(parts, input);
      const { shard, tenants } = await ask('shard.close', { shard: input.args[0] }) as unknown as {
        shard: Shard; tenants: number;
      };
      const { number } = shard;
      const there = tenants === 1 ? '1 tenant is there.'
        : `${tenants === 0 ? 'No' : tenants} tenants are there.`;
      terminal.print(`Shard ${nameOf(shard)} takes no new tenants any more. ${there}`);
      if (tenants > 0) terminal.print(`To move them elsewhere: holdfast shard drain ${number}`);
      else if (number > 0) terminal.print(`To let it go: holdfast shard remove ${number}`);
      return EXIT.done;
    },
  };
}

function shardOpen(parts: DiskParts): Command {
  return {
    name: 'shard open', summary: 'Let a database that was closed take new tenants again',
    args: [SHARD_ARG], flags: DISK_FLAGS, exits: EXITS,
    async run(terminal, input) {
      const ask = await asker(parts, input);
      const { shard } = await ask('shard.open', { shard: input.args[0] }) as unknown as {
        shard: Shard;
      };
      terminal.print(`Shard ${nameOf(shard)} takes new tenants.`);
      return EXIT.done;
    },
  };
}

function shardDrain(parts: DiskParts): Command {
  return {
    name: 'shard drain',
    summary: 'Move all tenants of a database to the others, while people work',
    details: `
Say: shard drain SHARD, or what is to become of it:
  status [SHARD]   how far it is
  pause SHARD      begin no further move; those under way go on. resume SHARD begins the next
  stop SHARD       give it up: tenants that were moved stay where they are, the others too
The shard takes no new tenants from then on. Each tenant goes to the least loaded of the open
shards, as with "tenant move": readers notice nothing, writers wait for up to two seconds. The
running server does it, and goes on after a restart. Said again, it changes how many are moved at
the same time.

Examples:
  holdfast shard drain old
  holdfast shard drain old --at-once 4
  holdfast shard drain status`,
    args: [{ name: '<what...>', docs: 'a shard; or one of the words above, and a shard' }],
    flags: [
      ...DISK_FLAGS,
      { flags: '--at-once <count>', docs: 'tenants that are moved at the same time (1)' },
    ],
    exits: EXITS,
    async run(terminal, input) {
      const [first = '', second, ...rest] = input.args;
      const word = WORDS.find((each) => each === first);
      if (rest.length > 0 || (word === undefined && second !== undefined)) return misused(terminal);
      if (word === undefined) return begin(parts, { terminal, input }, first);
      if (word === 'status') return showAll(parts, { terminal, input }, second);
      if (second === undefined) return misused(terminal);
      const ask = await asker(parts, input);
      const { drain } = await ask(`shard.drain-${word}`, { shard: second }) as unknown as {
        drain: Drain;
      };
      for (const line of linesOf(drain)) terminal.print(line);
      if (word === 'stop') {
        terminal.print(`It takes no new tenants. To change that: holdfast shard open ${second}`);
      }
      return EXIT.done;
    },
  };
}

function shardRemove(parts: DiskParts): Command {
  return {
    name: 'shard remove', summary: 'Let an empty database go, for good',
    details: 'Refused while a tenant is at home there, or a move from or to it is not over, its\n'
      + 'way back included. Its number, its name and its database are never used again.',
    args: [SHARD_ARG], flags: DISK_FLAGS, exits: EXITS,
    async run(terminal, input) {
      const ask = await asker(parts, input);
      const { shard } = await ask('shard.remove', { shard: input.args[0] }) as unknown as {
        shard: Shard;
      };
      terminal.print(`Shard ${nameOf(shard)} is removed. Holdfast does not use its database any `
        + 'more, and has left it as it is: delete it when you like.');
      return EXIT.done;
    },
  };
}

interface Said {
  readonly terminal: Terminal;
  readonly input: CommandInput;
}

function misused(terminal: Terminal): number {
  terminal.complain('Say: shard drain SHARD; or status, pause, resume or stop, and a shard.');
  return EXIT.usage;
}

async function begin(
  parts: DiskParts, { terminal, input }: Said, shard: string,
): Promise<number> {
  const count = flagText(input, 'at-once') ?? '1';
  if (!/^\d{1,4}$/.test(count)) return misused(terminal);
  const ask = await asker(parts, input);
  const { drain } = await ask('shard.drain', { shard, atOnce: Number(count) }) as unknown as {
    drain: Drain;
  };
  if (drain.total === 0) {
    terminal.print(`Shard ${drain.shard} takes no new tenants any more, and has none.`);
    return EXIT.done;
  }
  const rate = drain.atOnce === 1 ? 'one after the other' : `${drain.atOnce} at the same time`;
  terminal.print(`Shard ${drain.shard} takes no new tenants, and is emptied: ${drain.total} `
    + `to move, ${rate}. See: holdfast shard drain status`);
  return EXIT.done;
}

async function showAll(
  parts: DiskParts, { terminal, input }: Said, wanted: string | undefined,
): Promise<number> {
  const ask = await asker(parts, input);
  const { drains } = await ask('shard.drains', {
    ...(wanted !== undefined && { shard: wanted }),
  }) as unknown as { drains: readonly Drain[] };
  for (const drain of drains) for (const line of linesOf(drain)) terminal.print(line);
  if (drains.length === 0) {
    terminal.print(wanted === undefined ? 'No shard is being emptied.'
      : `Shard ${wanted} is not being emptied.`);
  }
  return EXIT.done;
}

function linesOf(drain: Drain): string[] {
  const { shard, state, isPaused, total, moving, waiting, troubles } = drain;
  const left = moving.length + waiting.length;
  const how = state === 'draining' && isPaused ? 'paused' : state;
  const lines = [`shard ${shard}\t${how}\t${Math.max(0, total - left)} of ${total} tenants moved`];
  if (moving.length > 0) lines.push(`  on the move: ${few(moving)}`);
  if (waiting.length > 0) lines.push(`  still there: ${few(waiting)}`);
  for (const trouble of troubles) lines.push(`  TROUBLE: ${trouble}`);
  if (state === 'done') {
    lines.push(`  When the ways back are over (holdfast tenant move status): holdfast shard remove `
      + `${shard}`);
  }
  return lines;
}

function few(names: readonly string[]): string {
  const more = names.length - LISTED_MAX;
  return names.slice(0, LISTED_MAX).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function nameOf({ number, name }: Shard): string {
  return `${number} (${name})`;
}
