/** Moves a tenant's metadata from one database to another, while everybody works on. */
import { parseTenantId } from '../../base/ids.ts';
import { EXIT, flagText } from '../command.ts';
import type { Command, CommandInput, Terminal } from '../command.ts';
import { loadConfig, serverSlice } from '../../platform/index.ts';
import { configRequest } from '../config-flags.ts';
import { DISK_FLAGS, asker } from '../disk-command.ts';
import type { QuotaParts } from './quota.ts';

/** As the server tells it. */
interface MoveView {
  readonly tenant: string;
  readonly from: number;
  readonly to: number;
  readonly state: string;
  readonly isPaused: boolean;
  readonly rowsCopied: number;
  readonly rowsCompared: number;
  readonly rowsFollowed: number;
  readonly freezeMs?: number;
  readonly freezeFailures: number;
  readonly reverseUntil?: number;
  readonly trouble?: string;
}

const WORDS = ['status', 'pause', 'resume', 'abort', 'back', 'finish'] as const;
type Word = (typeof WORDS)[number];

const SAID: Readonly<Record<Exclude<Word, 'status'>, string>> = {
  pause: 'stands still', resume: 'goes on', abort: 'is being given up',
  back: 'goes back to where it came from', finish: 'has no way back any more, and is cleaned up',
};

export function tenantMove(parts: QuotaParts): Command {
  return {
    name: 'tenant move',
    summary: 'Move a tenant\'s metadata to another shard while people work, and back',
    details: `
Say: tenant move TENANT --to SHARD, or what is to become of a move:
  status [TENANT]   how far all moves are, or one
  pause TENANT      stop at the next page; resume TENANT goes on
  abort TENANT      give it up: the tenant stays where it is (until writers were stopped)
  back TENANT       behind the move: to where it came from, without a copy, with all that was
                    changed since; within tenant_move.way_back_hours
  finish TENANT     give up the way back now, and remove what is not needed any more
The running server does it, and goes on after a restart. Files can be read all the time; writers
are refused for up to two seconds (503, Retry-After), at the end. Both copies are compared before.

Examples:
  holdfast tenant move acme --to 2
  holdfast tenant move acme --to big
  holdfast tenant move status
  holdfast tenant move back acme`,
    args: [{ name: '<what...>', docs: 'the tenant; or one of the words above, and a tenant' }],
    flags: [
      ...DISK_FLAGS,
      { flags: '--to <shard>', docs: 'the number or name of the shard: see "shard list"' },
    ],
    exits: {
      0: 'done, or begun', 1: 'failed, with the reason on screen', 2: 'wrong usage',
      3: 'refused: see the message',
    },
    async run(terminal, input) {
      const to = flagText(input, 'to');
      const [first = '', second, ...rest] = input.args;
      if (rest.length > 0) return misused(terminal);
      if (to !== undefined) {
        return second === undefined ? begin(parts, { terminal, input }, { tenant: first, to })
          : misused(terminal);
      }
      const word = WORDS.find((each) => each === first);
      if (word === undefined) return misused(terminal);
      if (word === 'status') return showAll(parts, { terminal, input }, second);
      return second === undefined ? misused(terminal)
        : change(parts, { terminal, input }, { word, tenant: second });
    },
  };
}

interface Said {
  readonly terminal: Terminal;
  readonly input: CommandInput;
}

function misused(terminal: Terminal): number {
  terminal.complain('Say: tenant move TENANT --to SHARD; or status, pause, resume, abort, back or '
    + 'finish, and a tenant.');
  return EXIT.usage;
}

async function begin(
  parts: QuotaParts, { terminal, input }: Said, order: { tenant: string; to: string },
): Promise<number> {
  const ask = await asker(parts, input);
  const to = await numberOf(order.to, ask);
  if (to === undefined) {
    terminal.complain(`There is no shard "${order.to}". See: holdfast shard list`);
    return EXIT.failed;
  }
  const move = await ask('tenant.move', { ...order, to }) as unknown as MoveView;
  await note(parts, input, { tenant: order.tenant, what: `from shard ${move.from} to ${move.to}` });
  terminal.print(`Tenant ${move.tenant} moves from shard ${move.from} to shard ${move.to}. `
    + 'See: holdfast tenant move status');
  return EXIT.done;
}

/** Of a shard by its number or its name; undefined: none has that name. */
async function numberOf(
  shard: string, ask: Awaited<ReturnType<typeof asker>>,
): Promise<number | undefined> {
  if (/^\d{1,4}$/.test(shard)) return Number(shard);
  const { shards } = await ask('shard.list', {}) as unknown as {
    shards: { number: number; name: string }[];
  };
  return shards.find(({ name }) => name === shard)?.number;
}

async function change(
  parts: QuotaParts, { terminal, input }: Said,
  { word, tenant }: { word: Exclude<Word, 'status'>; tenant: string },
): Promise<number> {
  const ask = await asker(parts, input);
  await ask(`tenant.move-${word}`, { tenant });
  await note(parts, input, { tenant, what: `move: ${word}` });
  terminal.print(`The move of tenant ${tenant} ${SAID[word]}. See: holdfast tenant move status`);
  return EXIT.done;
}

async function note(
  parts: QuotaParts, input: CommandInput, { tenant, what }: { tenant: string; what: string },
): Promise<void> {
  const config = await loadConfig(configRequest(input, parts.slices));
  await parts.noteAct(config.of(serverSlice).dataDirectory, {
    act: 'tenant-moved', tenant: parseTenantId(tenant), subject: tenant, note: what,
  });
}

async function showAll(
  parts: QuotaParts, { terminal, input }: Said, tenant: string | undefined,
): Promise<number> {
  const ask = await asker(parts, input);
  const { moves } = await ask('tenant.moves', {}) as unknown as { moves: MoveView[] };
  const shown = moves.filter((move) => tenant === undefined || move.tenant === tenant);
  for (const move of shown) for (const line of linesOf(move)) terminal.print(line);
  if (shown.length === 0) terminal.print('No tenant was moved.');
  return EXIT.done;
}

function linesOf(move: MoveView): string[] {
  const { tenant, from, to, state, isPaused, freezeMs, reverseUntil, trouble } = move;
  const lines = [`${tenant}\tshard ${from} to ${to}\t${state}${isPaused ? ', paused' : ''}`
    + `\t${move.rowsCopied} copied, ${move.rowsCompared} compared, ${move.rowsFollowed} followed`];
  if (freezeMs !== undefined) lines.push(`  writers waited ${Math.round(freezeMs)} ms`);
  if (move.freezeFailures > 0) {
    lines.push(`  ${move.freezeFailures} times writers would have waited too long: tried again`);
  }
  if (state === 'reverse' && reverseUntil !== undefined) {
    lines.push(`  the way back is open until ${new Date(reverseUntil).toISOString()}`);
  }
  if (trouble !== undefined) lines.push(`  TROUBLE: ${trouble}`);
  return lines;
}
