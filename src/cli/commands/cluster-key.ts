import { loadConfig, serverSlice } from '../../platform/index.ts';
import type { Slice } from '../../platform/index.ts';
import { EXIT } from '../command.ts';
import type { Command } from '../command.ts';
import { configRequest } from '../config-flags.ts';

export interface ClusterKeyParts {
  readonly slices: readonly Slice[];
  /** Makes the key of a data directory, unless there is one. */
  readonly makeKey: (dataDirectory: string) => Promise<{ path: string; isNew: boolean }>;
}

export function clusterKey({ slices, makeKey }: ClusterKeyParts): Command {
  return {
    name: 'cluster key',
    summary: 'Make the file by which filers and this server know each other',
    details: 'Copy the file to each filer by a safe way, and name it there with --cluster-key. '
      + 'Whoever has it can read and write the volumes of all filers.',
    flags: [
      { flags: '--data <dir>', docs: 'the data directory (./data)' },
      { flags: '--config <file>', docs: 'settings, in TOML, that name the data directory' },
    ],
    exits: { 0: 'made, or there already', 1: 'failed', 2: 'wrong usage', 3: 'refused' },
    async run(terminal, input) {
      const config = await loadConfig(configRequest(input, slices));
      const { path, isNew } = await makeKey(config.of(serverSlice).dataDirectory);
      terminal.print(isNew ? `Made ${path}` : `There is one already: ${path}`);
      terminal.print('Copy it to each filer by a safe way, and start the filer with it:');
      terminal.print('  holdfast serve --roles filer --cluster-key FILE --data DIR');
      return EXIT.done;
    },
  };
}
