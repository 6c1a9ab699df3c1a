/** The databases that keep metadata: to add one, to look at them. A server may run. */
import { isAbsolute } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';
import { EXIT, flagText } from '../command.ts';
import type { Command } from '../command.ts';
import { asker, DISK_FLAGS, inGib } from '../disk-command.ts';
import type { DiskParts } from '../disk-command.ts';
import { shardLeavingCommands } from './shard-leave.ts';

interface ShardRow {
  readonly number: number;
  readonly name: string;
  readonly state: string;
  readonly isReachable: boolean;
  readonly tenants: number;
  readonly spaces?: number;
  readonly sizeBytes?: number;
  readonly schema?: number;
  readonly moves: { readonly out: number; readonly in: number; readonly waysBack: number };
  readonly failure?: string;
}

interface Finding {
  readonly weight: 'bad' | 'note';
  readonly text: string;
  readonly next: string;
}

const UNKNOWN = '-';

export function shardCommands(parts: DiskParts): Command[] {
  return [shardAdd(parts), shardList(parts), shardCheck(parts), ...shardLeavingCommands(parts)];
}

function shardAdd(parts: DiskParts): Command {
  return {
    name: 'shard add', summary: 'Add a database for the metadata of more tenants',
    details: 'The database is empty, and its user may do everything in it. New tenants go to the\n'
      + 'least loaded shard; those that are there stay where they are. A running server needs no\n'
      + 'restart. Should it fail half-way, say the same again.\n'
      + 'Example: holdfast shard add two mariadb://holdfast@db2:3306/holdfast '
      + '--password-path /etc/holdfast/db2',
    args: [
      { name: '<name>', docs: 'lower-case letters, digits and -, a letter first' },
      {
        name: '<url>',
        docs: 'mariadb://user@host:port/database, or sqlite: and a path below the data directory',
      },
    ],
    flags: [
      ...DISK_FLAGS,
      {
        flags: '--password-path <file>',
        docs: 'a file with the password of that user, at this path on every machine of Holdfast',
      },
    ],
    exits: {
      0: 'added', 1: 'failed, with the reason on screen', 2: 'wrong usage',
      3: 'refused: see the message',
    },
    async run(terminal, input) {
      const [name = '', url = ''] = input.args;
      const passwordPath = flagText(input, 'password-path');
      if (passwordPath !== undefined && !isAbsolute(passwordPath)) throw relativePath();
      const ask = await asker(parts, input);
      const { shard } = await ask('shard.add', {
        name, url, ...(passwordPath !== undefined && { passwordPath }),
      }) as unknown as { shard: ShardRow };
      terminal.print(`added shard ${shard.number}: ${shard.name}`);
      terminal.print('New tenants may go there from now on. See: holdfast shard list');
      return EXIT.done;
    },
  };
}

/** The server may have been started in another folder. */
function relativePath(): HoldfastError {
  return new HoldfastError('invalid', 'cli/shardAdd', 'Say the whole path of the password file, '
    + 'from / on: every machine of Holdfast reads it there.', { code: 'shard-secret' });
}

function shardList(parts: DiskParts): Command {
  return {
    name: 'shard list', summary: 'List the databases of metadata, and what each has',
    details: 'Columns: number, name, state, tenants, spaces, size, reachable, format of tables,\n'
      + 'moves. State: open; closed, which takes no new tenants; making, which was not made to\n'
      + 'its end; removed, whose number is never used again. Moves: tenants that leave or come\n'
      + '(out, in) and those that may still come back.',
    flags: DISK_FLAGS,
    exits: { 0: 'done', 1: 'one cannot be reached, or it failed', 2: 'wrong usage' },
    async run(terminal, input) {
      const ask = await asker(parts, input);
      const { shards, directory } = await ask('shard.list', {}) as unknown as {
        shards: readonly ShardRow[]; directory: { ageMs: number; isReachable: boolean };
      };
      for (const shard of shards) {
        const { number, name, state, tenants, spaces = UNKNOWN, sizeBytes, schema } = shard;
        terminal.print([
          number, name, state, tenants, spaces,
          sizeBytes === undefined ? UNKNOWN : inGib(sizeBytes),
          reachOf(shard), schema ?? UNKNOWN, movesText(shard.moves),
        ].join('\t'));
      }
      if (!directory.isReachable) {
        terminal.complain('The directory of shards cannot be reached. This is what was known '
          + `${Math.round(directory.ageMs / 1000)} s ago.`);
      }
      const away = shards.filter(({ failure }) => failure !== undefined);
      for (const { number, failure } of away) terminal.complain(`shard ${number}: ${failure}`);
      return away.length === 0 && directory.isReachable ? EXIT.done : EXIT.failed;
    },
  };
}

function reachOf({ state, isReachable }: ShardRow): string {
  if (state === 'removed' || state === 'making') return UNKNOWN; // Nobody asks it.
  return isReachable ? 'yes' : 'no';
}

function movesText({ out, in: into, waysBack }: ShardRow['moves']): string {
  const words = [
    ...(out > 0 ? [`${out} out`] : []), ...(into > 0 ? [`${into} in`] : []),
    ...(waysBack > 0 ? [`${waysBack} may come back`] : []),
  ];
  return words.length === 0 ? UNKNOWN : words.join(', ');
}

function shardCheck(parts: DiskParts): Command {
  return {
    name: 'shard check', summary: 'See that every tenant is on one shard, and where it should be',
    details: 'Looks at the places of all tenants, at all spaces of each shard, at the ids that it\n'
      + 'will give next, and at the settings of its server. Changes nothing.',
    flags: DISK_FLAGS,
    exits: { 0: 'all is well', 1: 'something is not: see the screen', 2: 'wrong usage' },
    async run(terminal, input) {
      const ask = await asker(parts, input);
      const { findings } = await ask('shard.check', {}) as unknown as {
        findings: readonly Finding[];
      };
      for (const { weight, text, next } of findings) {
        terminal.print(`${weight === 'bad' ? 'NOT WELL' : 'note'}: ${text}`);
        terminal.print(`  ${next}`);
      }
      const isWell = findings.every(({ weight }) => weight !== 'bad');
      if (isWell) terminal.print('all shards are well');
      return isWell ? EXIT.done : EXIT.failed;
    },
  };
}
