import { inspectConfig } from '../../platform/index.ts';
import type { Slice } from '../../platform/index.ts';
import { EXIT } from '../command.ts';
import type { Command } from '../command.ts';
import { CONFIG_FLAGS, configRequest } from '../config-flags.ts';

export function configCheck(slices: readonly Slice[]): Command {
  return {
    name: 'config check',
    summary: 'Check file, environment and flags, and list every mistake',
    flags: CONFIG_FLAGS,
    exits: { 0: 'all is well', 2: 'there are mistakes; all are on the screen' },
    async run(terminal, input) {
      const mistakes = await inspectConfig(configRequest(input, slices));
      for (const { where, problem } of mistakes) terminal.complain(`${where}: ${problem}`);
      if (mistakes.length > 0) return EXIT.usage;
      terminal.print('The configuration is right.');
      return EXIT.done;
    },
  };
}
