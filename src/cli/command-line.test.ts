import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HoldfastError } from '../base/errors.ts';
import { EXIT } from './command.ts';
import type { Command, CommandInput } from './command.ts';
import { runCommandLine } from './command-line.ts';
import { MemoryTerminal } from './memory-terminal.ts';

interface Outcome {
  code: number;
  terminal: MemoryTerminal;
  input: CommandInput | undefined;
}

async function run(argv: string[], outcome: number | Error = EXIT.done): Promise<Outcome> {
  const terminal = new MemoryTerminal();
  let input: CommandInput | undefined;
  const feed: Command = {
    name: 'pond feed',
    summary: 'Feed the fish',
    details: 'Twice a day.',
    args: [{ name: '<fish>', docs: 'which' }, { name: '[more...]', docs: 'others' }],
    flags: [
      { flags: '--with-bread', docs: 'not healthy' },
      { flags: '--amount <grams>', docs: 'how much' },
      { flags: '--day <names...>', docs: 'when' },
    ],
    exits: { 0: 'fed', 3: 'they sleep' },
    async run(_terminal, given) {
      input = given;
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
  };
  const code = await runCommandLine(argv, { commands: [feed], terminal, version: '1.2.3' });
  return { code, terminal, input };
}

describe('The command line', () => {
  it('hands arguments and flags to the command, and its exit code out', async () => {
    const fish = ['pond', 'feed', 'carp', 'koi'];
    const argv = [...fish, '--with-bread', '--amount', '5', '--day', 'mo', 'tu'];
    const { code, input } = await run(argv, EXIT.refused);
    assert.equal(code, EXIT.refused);
    assert.deepEqual(input, {
      args: ['carp', 'koi'], flags: { 'with-bread': true, amount: '5', day: ['mo', 'tu'] },
    });
  });

  it('leaves out what was not given', async () => {
    const { input } = await run(['pond', 'feed', 'carp']);
    assert.deepEqual(input, {
      args: ['carp'], flags: { 'with-bread': undefined, amount: undefined, day: undefined },
    });
  });

  it('answers wrong usage with 2 and a hint, and runs nothing', async () => {
    const mistyped = ['pond', 'feed', 'x', '--amuont', '1'];
    for (const argv of [['pond', 'fed'], ['pond', 'feed'], mistyped]) {
      const { code, terminal, input } = await run(argv);
      assert.equal(code, EXIT.usage, argv.join(' '));
      assert.equal(input, undefined);
      assert.match(terminal.complaints, /--help/);
    }
    assert.match((await run(mistyped)).terminal.complaints, /--amount/);
  });

  it('explains commands with flags, details and exit codes', async () => {
    const { code, terminal } = await run(['pond', 'feed', '--help']);
    assert.equal(code, EXIT.done);
    for (const part of ['Feed the fish', '--amount <grams>', 'Twice a day.', '3  they sleep']) {
      assert.ok(terminal.printed.includes(part), part);
    }
  });

  it('lists the commands when none is named, and prints the version', async () => {
    const bare = await run([]);
    assert.deepEqual([bare.code, bare.terminal.printed.includes('pond')], [EXIT.usage, true]);
    assert.equal((await run(['--version'])).terminal.printed, '1.2.3\n');
  });

  it('shows a HoldfastError by its message alone, and ends by its kind', async () => {
    const refused = await run(['pond', 'feed', 'x'], new HoldfastError('conflict', 'a', 'Taken.'));
    assert.deepEqual([refused.code, refused.terminal.complaints], [EXIT.refused, 'Taken.\n']);
    const wrong = await run(['pond', 'feed', 'x'], new HoldfastError('invalid', 'a', 'Wrong.'));
    assert.equal(wrong.code, EXIT.usage);
  });

  it('shows a bug with its stack', async () => {
    const { code, terminal } = await run(['pond', 'feed', 'x'], new TypeError('broken'));
    assert.equal(code, EXIT.failed);
    assert.match(terminal.complaints, /broken[^]*at .*command-line\.test\.ts/);
  });
});
