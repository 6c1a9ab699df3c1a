/** How much people may store, and how much of it they do. A server may run. */
import { HoldfastError } from '../../base/errors.ts';
import type { TenantId } from '../../base/ids.ts';
import { loadConfig, serverSlice, sizeBytes } from '../../platform/index.ts';
import { complainOfAway } from '../away.ts';
import { EXIT, flagText } from '../command.ts';
import type { Command, CommandInput } from '../command.ts';
import { configRequest } from '../config-flags.ts';
import { asker, DISK_FLAGS, inGib } from '../disk-command.ts';
import type { DiskParts } from '../disk-command.ts';
import type { UserParts } from '../user-command.ts';

export type QuotaParts = DiskParts & Pick<UserParts, 'noteAct'>;

const EXITS = {
  0: 'done', 1: 'failed, with the reason on screen', 2: 'wrong usage',
  3: 'refused: see the message',
};
const WHOSE_FLAGS = [
  ...DISK_FLAGS,
  { flags: '--tenant <id>', docs: 'of all users and spaces of a tenant together' },
  { flags: '--space <id>', docs: 'of a space, also a team\'s, by its id: see "quota show"' },
];
const BYTES_MAX = 2 ** 53 - 1;
const PERCENT = 100;

interface Row {
  readonly subject: string;
  readonly kind: 'personal' | 'team' | 'tenant';
  readonly tenant: TenantId;
  readonly spaceId?: number;
  readonly usedBytes: number;
  readonly reservedBytes?: number;
  readonly quotaBytes?: number;
}

export function quotaCommands(parts: QuotaParts): Command[] {
  return [quotaSet(parts), quotaShow(parts)];
}

function quotaSet(parts: QuotaParts): Command {
  return {
    name: 'quota set', summary: 'Set how much a user, a space or a tenant may store',
    details: 'A running server obeys at once. What is stored already stays, even if it is more.\n'
      + 'Example: holdfast quota set anna "20 GiB"',
    args: [
      { name: '<what...>', docs: 'a user and a size, or with --tenant or --space only a size: '
        + 'bytes, "20 GiB", or "none" for no limit' },
    ],
    flags: WHOSE_FLAGS, exits: EXITS,
    async run(terminal, input) {
      const { whose, rest } = whoseOf(input, 1);
      const bytes = sizeOf(rest[0]);
      const ask = await asker(parts, input);
      const { before, after } = await ask('quota.set', { ...whose, bytes }) as unknown as {
        before: Row; after: Row;
      };
      const config = await loadConfig(configRequest(input, parts.slices));
      await parts.noteAct(config.of(serverSlice).dataDirectory, {
        act: 'quota-set', tenant: after.tenant,
        subject: after.kind === 'personal' ? after.subject : nameOf(after),
        note: `${limitOf(before)} before, ${limitOf(after)} now`,
      });
      terminal.print(`${nameOf(after)}: ${limitOf(after)}, ${inGib(after.usedBytes)} used`);
      return EXIT.done;
    },
  };
}

function quotaShow(parts: QuotaParts): Command {
  return {
    name: 'quota show', summary: 'Show what is used, by all or by one',
    details: 'Columns: whose, space, used, promised to uploads under way, quota, used part of it,\n'
      + 'tenant.',
    args: [{ name: '[user]', docs: 'only this one, with what is promised to uploads' }],
    flags: WHOSE_FLAGS, exits: EXITS,
    async run(terminal, input) {
      const isOne = input.args.length > 0 || hasFlag(input);
      const order = isOne ? { ...whoseOf(input, 0).whose } : { all: true };
      const ask = await asker(parts, input);
      const { rows, isWhole = true, away = [] } = await ask('quota.show', order) as unknown as {
        rows: Row[]; isWhole?: boolean; away?: readonly string[];
      };
      for (const row of rows) terminal.print(lineOf(row));
      if (!isWhole) terminal.complain('There are more. Name a user to see that one.');
      return complainOfAway(terminal, away);
    },
  };
}

function hasFlag(input: CommandInput): boolean {
  return [flagText(input, 'tenant'), flagText(input, 'space')].some((name) => name !== undefined);
}

/** `restLength`: arguments behind the user, if a user is what is meant. */
function whoseOf(
  input: CommandInput, restLength: number,
): { whose: Record<string, unknown>; rest: readonly string[] } {
  const space = flagText(input, 'space');
  const tenant = flagText(input, 'tenant');
  const users = hasFlag(input) ? 0 : 1;
  const rest = input.args.slice(users);
  if (rest.length !== restLength || (tenant !== undefined && space !== undefined)) {
    throw usage('Say whose quota it is: a user, or --tenant and a name, or --space and an id; and '
      + 'one size.');
  }
  if (tenant !== undefined) return { whose: { tenant }, rest };
  if (space === undefined) return { whose: { user: input.args[0] }, rest };
  if (!/^[0-9]{1,15}$/.test(space)) throw usage('A space is named by its number.');
  return { whose: { space: Number(space) }, rest };
}

/** Bytes; null: no limit. @throws invalid. */
function sizeOf(raw = ''): number | null {
  if (raw === 'none') return null;
  try {
    return sizeBytes({ min: 0, max: BYTES_MAX })(raw);
  } catch (cause) {
    throw usage('The size must be a number of bytes, or like "20 GiB", or "none".', cause);
  }
}

function usage(message: string, cause?: unknown): HoldfastError {
  return new HoldfastError('invalid', 'cli/quota', message, { cause });
}

function nameOf({ kind, subject, spaceId }: Row): string {
  if (kind === 'tenant') return `tenant ${subject}`;
  return kind === 'team' ? `team space ${spaceId} (${subject})` : subject;
}

function limitOf({ quotaBytes }: Row): string {
  return quotaBytes === undefined ? 'no quota' : `a quota of ${quotaBytes} bytes`;
}

function lineOf(row: Row): string {
  const { usedBytes, reservedBytes, quotaBytes, spaceId } = row;
  const share = quotaBytes === undefined || quotaBytes === 0
    ? '' : `${Math.floor((usedBytes / quotaBytes) * PERCENT)} %`;
  return [
    nameOf(row), spaceId ?? '', usedBytes, reservedBytes ?? '', quotaBytes ?? 'none', share,
    row.tenant,
  ].join('\t');
}
