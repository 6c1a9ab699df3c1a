/** For how long what is past is kept, by space and by tenant. A server may run. */
import { HoldfastError } from '../../base/errors.ts';
import type { TenantId } from '../../base/ids.ts';
import { loadConfig, serverSlice } from '../../platform/index.ts';
import { complainOfAway } from '../away.ts';
import { EXIT, flagText } from '../command.ts';
import type { Command, CommandInput } from '../command.ts';
import { configRequest } from '../config-flags.ts';
import { asker, DISK_FLAGS } from '../disk-command.ts';
import type { Answer } from '../disk-command.ts';
import type { QuotaParts } from './quota.ts';

const EXITS = {
  0: 'done', 1: 'failed, with the reason on screen', 2: 'wrong usage',
  3: 'refused: see the message',
};
const WHOSE = { name: '[user]', docs: 'whose files; or name a space or a tenant' };
const WHOSE_FLAGS = [
  ...DISK_FLAGS,
  { flags: '--space <id>', docs: 'of a space, also a team\'s, by its id: see "quota show"' },
  { flags: '--tenant <id>', docs: 'of all spaces of a tenant that have no rule of their own' },
];
const DAYS = 'days, 0 for ever, or "inherit"';
const KEYS = [
  { key: 'keepAllDays', flag: 'history', docs: `how long the whole past is kept: ${DAYS}` },
  {
    key: 'keepDailyDays', flag: 'versions-daily',
    docs: `how long the last version of each day is kept: ${DAYS}`,
  },
  { key: 'trashKeepDays', flag: 'trash', docs: `how long what was deleted is kept: ${DAYS}` },
] as const;
const DAYS_MAX = 36_500;

type Days = Readonly<Record<(typeof KEYS)[number]['key'], number>>;

interface Row {
  readonly subject: string;
  readonly kind: 'personal' | 'team' | 'tenant';
  readonly tenant: TenantId;
  readonly scope: { readonly spaceId?: number };
  readonly rule: Partial<Days>;
  readonly policy: Days;
}

export function retentionCommands(parts: QuotaParts): Command[] {
  return [retentionShow(parts), retentionSet(parts), retentionClear(parts)];
}

function retentionShow(parts: QuotaParts): Command {
  return {
    name: 'retention show', summary: 'Show for how long what is past is kept',
    details: 'Columns: whose, space, history, daily versions, trash, in days; "own" marks what\n'
      + 'was set for this very space or tenant. Without a name: all tenants, and all spaces with\n'
      + 'a rule.',
    args: [WHOSE], flags: WHOSE_FLAGS, exits: EXITS,
    async run(terminal, input) {
      const order = hasWhose(input) ? whoseOf(input) : { all: true };
      const ask = await asker(parts, input);
      const { rows, away = [] } = await ask('retention.show', order) as unknown as {
        rows: Row[]; away?: readonly string[];
      };
      for (const row of rows) terminal.print(lineOf(row));
      return complainOfAway(terminal, away);
    },
  };
}

function retentionSet(parts: QuotaParts): Command {
  return {
    name: 'retention set', summary: 'Set for how long what is past is kept',
    details: 'A rule of a space comes before that of its tenant, and that before the settings\n'
      + '(files.history_keep_days and so on). What a shorter time lets go is forgotten by the\n'
      + 'server within an hour or so, and does not come back. A trash that is kept for a shorter\n'
      + 'time than the history shortens the history.\n'
      + 'Example: holdfast retention set anna --history 90 --trash 0',
    args: [WHOSE], exits: EXITS,
    flags: [...WHOSE_FLAGS, ...KEYS.map(({ flag, docs }) => ({ flags: `--${flag} <days>`, docs }))],
    async run(terminal, input) {
      const days = Object.fromEntries(KEYS.flatMap(({ key, flag }) => {
        const text = flagText(input, flag);
        return text === undefined ? [] : [[key, daysOf(text)]];
      }));
      if (Object.keys(days).length === 0) {
        throw usage('Say what to set: --history, --versions-daily or --trash.');
      }
      terminal.print(lineOf(await change(parts, input, days)));
      return EXIT.done;
    },
  };
}

function retentionClear(parts: QuotaParts): Command {
  return {
    name: 'retention clear', summary: 'Leave it to the tenant or the settings again',
    args: [WHOSE], flags: WHOSE_FLAGS, exits: EXITS,
    async run(terminal, input) {
      terminal.print(lineOf(await change(parts, input, { clear: true })));
      return EXIT.done;
    },
  };
}

async function change(parts: QuotaParts, input: CommandInput, order: Answer): Promise<Row> {
  const ask = await asker(parts, input);
  const { before, after } = await ask('retention.set', { ...whoseOf(input), ...order }) as
    unknown as { before: Row; after: Row };
  const config = await loadConfig(configRequest(input, parts.slices));
  await parts.noteAct(config.of(serverSlice).dataDirectory, {
    act: 'retention-set', tenant: after.tenant, subject: nameOf(after),
    note: `${noteOf(before)} before, ${noteOf(after)} now`,
  });
  return after;
}

function hasWhose(input: CommandInput): boolean {
  return input.args.length > 0 || flagText(input, 'tenant') !== undefined
    || flagText(input, 'space') !== undefined;
}

function whoseOf(input: CommandInput): Answer {
  const [user] = input.args;
  const [space, tenant] = [flagText(input, 'space'), flagText(input, 'tenant')];
  if ([user, space, tenant].filter((each) => each !== undefined).length !== 1) {
    throw usage('Say whose files: a user, or --space and its id, or --tenant and its id.');
  }
  if (user !== undefined) return { user };
  if (space === undefined) return { tenant };
  if (!/^[0-9]{1,15}$/.test(space)) throw usage('A space is named by its number.');
  return { space: Number(space) };
}

/** null: it is left to the next rule. @throws invalid. */
function daysOf(text: string): number | null {
  if (text === 'inherit') return null;
  const days = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (days <= DAYS_MAX) return days;
  throw usage(`Say a number of days up to ${DAYS_MAX}, 0 for ever, or "inherit".`);
}

function usage(message: string): HoldfastError {
  return new HoldfastError('invalid', 'cli/retention', message);
}

function nameOf({ kind, subject, scope }: Row): string {
  if (kind === 'tenant') return `tenant ${subject}`;
  return kind === 'team' ? `team space ${scope.spaceId} (${subject})` : subject;
}

function noteOf({ rule, policy }: Row): string {
  const own = (key: keyof Days): string => (rule[key] === undefined ? '' : ' own');
  return KEYS.map(({ key, flag }) => `${flag} ${policy[key]}${own(key)}`).join(', ');
}

function lineOf(row: Row): string {
  const { rule, policy, scope } = row;
  const days = KEYS.map(({ key }) =>
    `${policy[key] === 0 ? 'for ever' : policy[key]}${rule[key] === undefined ? '' : ' own'}`);
  return [nameOf(row), scope.spaceId ?? '', ...days].join('\t');
}
