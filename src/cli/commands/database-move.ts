import { loadConfig } from '../../platform/index.ts';
import type { Config, Slice } from '../../platform/index.ts';
import { EXIT, flagText } from '../command.ts';
import type { Command, Terminal } from '../command.ts';
import { configRequest } from '../config-flags.ts';

/** Of one of the databases that are carried. */
export interface DatabaseAmount {
  readonly name: string;
  readonly rowCount: number;
}

export interface DatabaseProgress {
  readonly step: 'copy' | 'compare';
  readonly doneCount: number;
  /** As it was counted before. */
  readonly rowCount: number;
  readonly rowsPerSecond: number;
  /** Of this step; undefined: it has only begun. */
  readonly remainingS: number | undefined;
}

export type OnDatabaseRows = (progress: DatabaseProgress) => void;

export type DatabaseMoveOutcome = {
  /** Of the database on MariaDB. */
  readonly url: string;
} & ({
  readonly kind: 'moved';
  readonly to: 'files' | 'mariadb';
  /** What the files are called that count no more. */
  readonly aside: readonly string[];
} | {
  /** A move that had begun was given up. */
  readonly kind: 'stayed';
  readonly at: 'files' | 'mariadb';
});

export interface DatabaseMove {
  /** What there is to carry; nothing: only the end of a move that was cut short. */
  plan(): Promise<readonly DatabaseAmount[]>;
  run(onRows: OnDatabaseRows): Promise<DatabaseMoveOutcome>;
  close(): Promise<void>;
}

export interface DatabaseMoveParts {
  readonly slices: readonly Slice[];
  /** @throws conflict: with what to do; code `data-locked`: a server runs. */
  readonly open: (config: Config, options: { to: 'files' | 'mariadb' }) => Promise<DatabaseMove>;
}

/** Needs the data directory to itself. Without --yes it only shows the plan. */
export function databaseMove({ slices, open }: DatabaseMoveParts): Command {
  return {
    name: 'database move',
    summary: 'Carry accounts and metadata from files into a MariaDB database, or back',
    details: 'Stop the server first, and say in the settings which database it is (database.url,\n'
      + 'docs/mariadb.md): an empty one. Everything is compared on both sides before it counts.\n'
      + 'Cut short, it goes on when it is given again; said with where it came from, it is given\n'
      + 'up. Nothing is removed where it was. The content of files stays where it is.',
    flags: [
      { flags: '--data <dir>', docs: 'the data directory (./data)' },
      { flags: '--config <file>', docs: 'settings, in TOML, that name the database' },
      { flags: '--to <place>', docs: '`mariadb`, or `files`' },
      { flags: '--yes', docs: 'move; without it only the plan is shown' },
    ],
    exits: {
      0: 'moved, or shown', 1: 'failed; what is where has not changed', 2: 'wrong usage',
      3: 'refused: see the message',
    },
    async run(terminal, input) {
      const to = flagText(input, 'to');
      if (to !== 'mariadb' && to !== 'files') {
        terminal.complain('Say where to: --to mariadb, or --to files');
        return EXIT.usage;
      }
      const move = await open(await loadConfig(configRequest(input, slices)), { to });
      try {
        const amounts = await move.plan();
        for (const { name, rowCount } of amounts) terminal.print(`${name}: ${rowCount} rows`);
        if (amounts.length === 0) terminal.print('a move that was begun is to be ended');
        if (input.flags['yes'] !== true) {
          terminal.print('nothing was moved; to move it: --yes');
          return EXIT.done;
        }
        for (const line of outcomeLines(await move.run(progressOn(terminal)))) terminal.print(line);
        return EXIT.done;
      } finally {
        await move.close();
      }
    },
  };
}

const STEPS = { copy: 'copied', compare: 'compared' };

function progressOn(terminal: Terminal): OnDatabaseRows {
  return ({ step, doneCount, rowCount, rowsPerSecond, remainingS }) => {
    const rest = remainingS === undefined ? '' : `, ${remainingS} s to go`;
    const speed = `${rowsPerSecond} rows/s`;
    terminal.print(`${STEPS[step]} ${doneCount} of ${rowCount} rows, ${speed}${rest}`);
  };
}

function outcomeLines(outcome: DatabaseMoveOutcome): string[] {
  const { url } = outcome;
  if (outcome.kind === 'stayed') {
    return outcome.at === 'files' ? [
      'stays in its files. Before the next start take database.url out of the settings.',
      `The database ${url} has a part of it, which counts nothing: drop it.`,
    ] : [`stays on MariaDB: database.url = ${url}, as it was.`];
  }
  return outcome.to === 'mariadb' ? [
    `moved. The settings must go on to say: database.url = ${url}`,
    ...outcome.aside.map((name) => `${name} counts no more: keep it until you are sure.`),
    'Back up the database from now on, beside the data directory: docs/mariadb.md',
  ] : [
    'moved. Before the next start take database.url, and all else below [database], out of the '
      + 'settings.',
    `The database ${url} counts no more: keep it until you are sure.`,
  ];
}
