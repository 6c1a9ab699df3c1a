/** Turns a command line into a call of one command, and its outcome into an exit code. */
import { Command as Parser, CommanderError } from 'commander';
import { HoldfastError } from '../base/errors.ts';
import { describeError } from '../platform/index.ts';
import { EXIT } from './command.ts';
import type { Command, CommandInput, Terminal } from './command.ts';

export interface CommandLineOptions {
  readonly commands: readonly Command[];
  readonly terminal: Terminal;
  readonly version: string;
}

const INTRODUCTION = `Holdfast keeps your files: a cloud file server for one machine or many.

Start here:
  holdfast serve                 serve the files in ./data on http://127.0.0.1:8420
  holdfast help serve            what can be said about serving
`;

const GROUPS: Readonly<Record<string, string>> = {
  user: 'Manage accounts',
  group: 'Manage groups of accounts',
  brake: 'Decide about devices that delete or overwrite very much',
  history: 'Look at the past of somebody\'s files, and bring it back',
  cluster: 'Join machines',
  db: 'See what the databases are busy with',
  disk: 'Add disks, look at them, let them go',
  config: 'Check and show the configuration',
  gc: 'Give back the room of what nothing needs',
  keys: 'Encrypt what is stored',
  verify: 'See that everything stored is still there and right',
  tenant: 'Companies or households that share the server and nothing else',
  shard: 'Spread the metadata of tenants over several databases',
  storage: 'Move what is stored to another place',
  quota: 'Limit how much room somebody may use',
  retention: 'Say how long the past and the trash are kept',
  audit: 'Look at the log of who did what, and check it',
  mail: 'See whether mail gets through',
  schema: 'Bring the tables of all shards to the form that this version needs',
};

/** Runs the command named by `argv` (without program and script). Resolves with the exit code;
 *  never rejects. */
export async function runCommandLine(
  argv: readonly string[],
  options: CommandLineOptions,
): Promise<number> {
  const { terminal } = options;
  let exitCode: number = EXIT.done;
  const program = buildParser(options, async (command, input) => {
    exitCode = await command.run(terminal, input);
  });
  try {
    if (argv.length === 0) {
      terminal.print(program.helpInformation().trimEnd());
      return EXIT.usage;
    }
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    return explainFailure(error, terminal);
  }
}

function explainFailure(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof HoldfastError) {
    terminal.complain(error.message);
    if (error.kind === 'internal') terminal.complain(JSON.stringify(describeError(error), null, 2));
    return EXIT_BY_KIND[error.kind] ?? EXIT.failed;
  }
  terminal.complain('Something went wrong that should not. Please report this:');
  terminal.complain(JSON.stringify(describeError(error), null, 2).replaceAll('\\n', '\n'));
  return EXIT.failed;
}

const EXIT_BY_KIND: Readonly<Record<string, number>> = {
  invalid: EXIT.usage,
  conflict: EXIT.refused,
  exists: EXIT.refused,
  'not-found': EXIT.refused,
  denied: EXIT.refused,
};

type Act = (command: Command, input: CommandInput) => Promise<void>;

function buildParser({ commands, terminal, version }: CommandLineOptions, act: Act): Parser {
  const program = new Parser('holdfast');
  program
    .description(INTRODUCTION.trimEnd())
    .version(version, '-V, --version', 'print the version')
    .helpCommand('help [command]', 'explain a command')
    .showHelpAfterError('(add --help to see what can be said)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.complain(text.trimEnd()),
    });
  const groups = new Map<string, Parser>();
  for (const command of commands) {
    const [first = '', second] = command.name.split(' ');
    if (second === undefined) {
      addCommand(program, { word: first, command, act });
      continue;
    }
    let group = groups.get(first);
    if (group === undefined) {
      group = program.command(first).description(GROUPS[first] ?? '');
      group.copyInheritedSettings(program);
      groups.set(first, group);
    }
    addCommand(group, { word: second, command, act });
  }
  return program;
}

function addCommand(
  parent: Parser,
  { word, command, act }: { word: string; command: Command; act: Act },
): void {
  const parser = parent.command(word).summary(command.summary).description(command.summary);
  for (const { name, docs } of command.args ?? []) parser.argument(name, docs);
  for (const { flags, docs } of command.flags ?? []) parser.option(flags, docs);
  const exits = Object.entries(command.exits).map(([code, meaning]) => `  ${code}  ${meaning}`);
  const details = command.details === undefined ? '' : `\n${command.details.trim()}\n`;
  parser.addHelpText('after', `${details}\nExit codes:\n${exits.join('\n')}`);
  parser.action(async () => {
    const given: unknown[] = parser.processedArgs.flat();
    const args = given.filter((arg) => typeof arg === 'string');
    const flags = Object.fromEntries(
      parser.options.map((option) => [option.name(), flagValue(parser, option.attributeName())]),
    );
    await act(command, { args, flags });
  });
}

function flagValue(parser: Parser, name: string): CommandInput['flags'][string] {
  const value: unknown = parser.opts()[name];
  if (value === true || typeof value === 'string') return value;
  return Array.isArray(value) ? value.map(String) : undefined;
}
