import { DATA_FORMAT } from '../../platform/index.ts';
import { EXIT } from '../command.ts';
import type { Command } from '../command.ts';

export function versionCommand(version: string): Command {
  return {
    name: 'version',
    summary: 'Print the versions of the program, of Node and of the data format',
    exits: { 0: 'printed' },
    async run(terminal) {
      terminal.print(`holdfast ${version}`);
      terminal.print(`node ${process.versions.node}`);
      terminal.print(`data format ${DATA_FORMAT}`);
      return EXIT.done;
    },
  };
}
