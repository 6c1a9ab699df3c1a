import { loadConfig } from '../../platform/index.ts';
import type { Slice } from '../../platform/index.ts';
import { EXIT } from '../command.ts';
import type { Command } from '../command.ts';
import { CONFIG_FLAGS, configRequest } from '../config-flags.ts';

export function configShow(slices: readonly Slice[]): Command {
  return {
    name: 'config show',
    summary: 'Show every setting in force and where it comes from, secrets masked',
    flags: CONFIG_FLAGS,
    exits: { 0: 'shown', 2: 'there are mistakes; all are on the screen' },
    async run(terminal, input) {
      const config = await loadConfig(configRequest(input, slices));
      terminal.print(config.show().trimEnd());
      return EXIT.done;
    },
  };
}
