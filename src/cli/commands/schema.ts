/** Changes of the tables, over all shards: what there is to do, doing it, and whether all is as it
 *  should be. Works on the databases themselves: a server need not run. */
import { loadConfig } from '../../platform/index.ts';
import type { Clock, Config, Slice } from '../../platform/index.ts';
import { SchemaRunner, driftText, findDrift, lint, readStatus } from '../../schema/index.ts';
import type {
  ChangeStatus, Goldens, Progress, RunOutcome, SchemaParts,
} from '../../schema/index.ts';
import { EXIT, flagText } from '../command.ts';
import type { Command, CommandInput, Terminal } from '../command.ts';
import { configRequest } from '../config-flags.ts';

export interface OpenedSchema extends SchemaParts {
  readonly goldens: Goldens;
  close(): Promise<void>;
}

export interface SchemaCommandParts {
  readonly slices: readonly Slice[];
  /** With `alters` nobody else may work on files meanwhile. @throws conflict `data-locked`. */
  readonly open: (config: Config, options: { alters: boolean }) => Promise<OpenedSchema>;
  readonly clock: Clock;
}

const FLAGS = [
  { flags: '--data <dir>', docs: 'the data directory (./data)' },
  { flags: '--config <file>', docs: 'settings, in TOML, that name data directory and database' },
];
const YES = { flags: '--yes', docs: 'do it; without it only the plan is shown' };
const EXITS = {
  0: 'done, or shown', 1: 'failed or found something, as shown', 2: 'wrong usage',
  3: 'refused: see the message',
};

export function schemaCommands(parts: SchemaCommandParts): Command[] {
  return [
    plan(parts), lintCommand(parts), status(parts), apply(parts), contract(parts), pause(parts),
    resume(parts), drift(parts),
  ];
}

/** Opens, acts and closes. */
async function within(
  { slices, open }: SchemaCommandParts, input: CommandInput,
  { alters = false, act }: {
    alters?: boolean; act: (schema: OpenedSchema) => Promise<number>;
  },
): Promise<number> {
  const schema = await open(await loadConfig(configRequest(input, slices)), { alters });
  try {
    return await act(schema);
  } finally {
    await schema.close();
  }
}

function plan(parts: SchemaCommandParts): Command {
  return {
    name: 'schema plan', summary: 'List changes of the tables, and what is still to be done',
    details: 'Columns: change, kind, shards done of all, what it costs, what it is for.',
    flags: FLAGS, exits: EXITS,
    run: (terminal, input) => within(parts, input, {
      act: async (schema) => {
        const { changes } = await readStatus(schema);
        for (const one of changes) terminal.print(planLine(one));
        if (changes.length === 0) {
          terminal.complain('This version of Holdfast has no changes to make.');
        }
        return EXIT.done;
      },
    }),
  };
}

function planLine({ change, doneCount, shardCount }: ChangeStatus): string {
  const cost = change.kind === 'backfill' ? 'rows' : change.algorithm;
  return [change.id, change.kind, `${doneCount}/${shardCount}`, cost, change.title].join('\t');
}

function lintCommand(parts: SchemaCommandParts): Command {
  return {
    name: 'schema lint', summary: 'Look for changes that would hurt the version before, or writers',
    flags: FLAGS, exits: EXITS,
    run: (terminal, input) => within(parts, input, {
      act: async ({ changes, goldens }) => {
        const findings = lint(changes, goldens);
        for (const { changeId, problem } of findings) terminal.print(`${changeId}: ${problem}`);
        terminal.complain(`${changes.length} changes, ${findings.length} findings.`);
        return findings.length === 0 ? EXIT.done : EXIT.failed;
      },
    }),
  };
}

function status(parts: SchemaCommandParts): Command {
  return {
    name: 'schema status', summary: 'Show how far changes of the tables have come',
    details: 'Columns: change, kind, shards done of all, begun, old rows, done everywhere since.',
    flags: FLAGS, exits: EXITS,
    run: (terminal, input) => within(parts, input, {
      act: async (schema) => {
        const { changes, unreachable } = await readStatus(schema);
        for (const one of changes) {
          terminal.print(statusLine(one));
          for (const { shard, problem } of one.failures) terminal.print(`  ${shard}: ${problem}`);
        }
        for (const { shard, problem } of unreachable) terminal.complain(`${shard}: ${problem}`);
        const paused = await schema.book.findPause();
        if (paused !== undefined) {
          const since = new Date(paused.sinceMs).toISOString();
          terminal.complain(`Paused since ${since}: ${paused.reason}. `
            + 'Go on: holdfast schema resume');
        }
        for (const { name, version, silentMs } of await schema.nodes?.list() ?? []) {
          const heard = `${Math.round(silentMs / 1000)} s ago`;
          terminal.complain(`program: ${name}, ${version}, last heard of ${heard}`);
        }
        terminal.complain(`${schema.shards.length} shards, ${changes.length} changes.`);
        return unreachable.length === 0 ? EXIT.done : EXIT.failed;
      },
    }),
  };
}

function statusLine(one: ChangeStatus): string {
  const { change, doneCount, shardCount, begunCount, oldRowCount, doneAtMs } = one;
  const since = doneAtMs === undefined ? '-' : new Date(doneAtMs).toISOString();
  return [
    change.id, change.kind, `${doneCount}/${shardCount}`, begunCount, oldRowCount ?? '-', since,
  ].join('\t');
}

function apply(parts: SchemaCommandParts): Command {
  return {
    name: 'schema apply', summary: 'Make the changes of the tables that are due, shard by shard',
    details: 'In waves: one shard, 1 %, 10 %, all; at most 5 % at once; it stops after two\n'
      + 'failures. Rows are written anew schema.step_after after what they need was added.\n'
      + 'Cut short, it goes on when it is given again: no shard is altered twice. Where\n'
      + 'the metadata lies in files the server must be stopped; what is quickly made it makes by\n'
      + 'itself when it starts.',
    flags: [...FLAGS, YES], exits: EXITS,
    async run(terminal, input) {
      const isAsked = input.flags['yes'] === true;
      return within(parts, input, {
        alters: isAsked,
        act: async (schema) => {
          const findings = lint(schema.changes, schema.goldens);
          for (const { changeId, problem } of findings) {
            terminal.complain(`${changeId}: ${problem}`);
          }
          if (findings.length > 0) return EXIT.refused;
          if (isAsked) {
            return told(terminal, await new SchemaRunner(schema).apply(progressOn(terminal)));
          }
          const { changes } = await readStatus(schema);
          const open = changes.filter(({ change, doneCount, shardCount }) => (
            change.kind !== 'contract' && doneCount < shardCount));
          for (const one of open) terminal.print(planLine(one));
          terminal.print(open.length === 0 ? 'Nothing is to be done.'
            : 'This is only the plan; nothing was changed. To do it: holdfast schema apply --yes');
          return EXIT.done;
        },
      });
    },
  };
}

function contract(parts: SchemaCommandParts): Command {
  return {
    name: 'schema contract', summary: 'Take away what a change has left for the version before',
    details: 'It is refused, with the counts, while one old row or one running program of an\n'
      + 'older version is there, and for some time after the change: see schema.contract_after.\n'
      + 'From then on the older version cannot be started any more.',
    args: [{ name: '<change>', docs: 'its id, as "schema plan" shows it' }],
    flags: FLAGS, exits: EXITS,
    run: (terminal, input) => within(parts, input, {
      alters: true,
      act: async (schema) => told(terminal, await new SchemaRunner(schema)
        .contract(input.args[0] ?? '', progressOn(terminal))),
    }),
  };
}

function pause(parts: SchemaCommandParts): Command {
  return {
    name: 'schema pause', summary: 'Stop whoever alters shards, after the shard or chunk in hand',
    flags: [...FLAGS, { flags: '--reason <text>', docs: 'for those who wonder' }], exits: EXITS,
    run: (terminal, input) => within(parts, input, {
      act: async ({ book }) => {
        await book.pause(flagText(input, 'reason') ?? 'no reason was given', parts.clock.now());
        terminal.print('Paused. Go on with: holdfast schema resume, and then schema apply');
        return EXIT.done;
      },
    }),
  };
}

function resume(parts: SchemaCommandParts): Command {
  return {
    name: 'schema resume', summary: 'End a pause', flags: FLAGS, exits: EXITS,
    run: (terminal, input) => within(parts, input, {
      act: async ({ book }) => {
        await book.resume();
        terminal.print('No longer paused. Go on with: holdfast schema apply --yes');
        return EXIT.done;
      },
    }),
  };
}

function drift(parts: SchemaCommandParts): Command {
  return {
    name: 'schema drift', summary: 'Compare the tables of every shard with those it should have',
    details: 'One line for each difference: shard, table and column. A running server does the\n'
      + 'same every hour: see the metric holdfast_schema_drift_shards.',
    flags: FLAGS, exits: EXITS,
    run: (terminal, input) => within(parts, input, {
      act: async ({ shards, changes, goldens }) => {
        const found = await findDrift(shards, { changes, goldens });
        for (const { shard, drifts, problem } of found) {
          for (const one of drifts) terminal.print(driftText(shard, one));
          if (problem !== undefined) terminal.complain(`${shard}: ${problem}`);
        }
        const count = found.filter(({ drifts }) => drifts.length > 0).length;
        const awayCount = found.filter(({ problem }) => problem !== undefined).length;
        terminal.complain(`${shards.length} shards, ${count} with differences`
          + `${awayCount === 0 ? '' : `, ${awayCount} not looked at`}.`);
        return count + awayCount === 0 ? EXIT.done : EXIT.failed;
      },
    }),
  };
}

function progressOn(terminal: Terminal): { onProgress: (news: Progress) => void } {
  return {
    onProgress: ({ changeId, shard, state, shardsDone, shardCount, rowsDone, problem }) => {
      if (state === 'known') return;
      const rows = rowsDone === 0 ? '' : `, ${rowsDone} rows`;
      const why = problem === '' ? '' : `: ${problem}`;
      terminal.print(`${changeId} ${shard} ${state}${rows}, ${shardsDone} of ${shardCount}${why}`);
    },
  };
}

function told(terminal: Terminal, outcome: RunOutcome): number {
  const { state, changeId, failures, objections, early, pause: reason } = outcome;
  switch (state) {
    case 'done':
      terminal.print(changeId === undefined ? 'Nothing is to be done.' : `Done: ${changeId}.`);
      return EXIT.done;
    case 'early':
      if (changeId !== undefined) terminal.print(`Done: ${changeId}.`);
      for (const { changeId: id, fromMs } of early) {
        terminal.complain(`${id} may begin from ${new Date(fromMs).toISOString()} on: see `
          + 'schema.step_after. Say the same again then.');
      }
      return EXIT.done;
    case 'paused':
      terminal.complain(`Paused: ${reason}. Go on: holdfast schema resume`);
      return EXIT.failed;
    case 'halted':
      for (const { shard, problem } of failures) terminal.complain(`${shard}: ${problem}`);
      terminal.complain(`Stopped in ${changeId}, after ${failures.length} failures. What was done `
        + 'stays done. Put right what failed, and say the same again.');
      return EXIT.failed;
    case 'refused':
      terminal.complain(`${changeId} cannot be made yet:`);
      for (const { message } of objections) terminal.complain(`  ${message}`);
      return EXIT.refused;
  }
}
