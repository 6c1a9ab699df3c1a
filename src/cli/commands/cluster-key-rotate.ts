import { loadConfig } from '../../platform/index.ts';
import type { Config, Slice } from '../../platform/index.ts';
import { EXIT } from '../command.ts';
import type { Command } from '../command.ts';
import { configRequest } from '../config-flags.ts';

export interface ClusterKeyRotateParts {
  readonly slices: readonly Slice[];
  readonly rotateKey: (config: Config, step: 'begin' | 'finish') => Promise<{ path: string }>;
}

export function clusterKeyRotate({ slices, rotateKey }: ClusterKeyRotateParts): Command {
  return {
    name: 'cluster key-rotate',
    summary: 'Replace the key of the filers, without an interruption',
    details: `
In two steps. The first makes a new key and keeps the old one beside it: from then on the server
takes filers that have either. Copy the file to each filer by a safe way and send it SIGHUP. When
all have it, the second step (--finish) takes the old key out: a filer that was left out is refused
then.
A running server reads the file by itself; connections that are there stay.`,
    flags: [
      { flags: '--data <dir>', docs: 'the data directory (./data)' },
      { flags: '--config <file>', docs: 'settings, in TOML, that name the data directory' },
      { flags: '--finish', docs: 'all filers have the new key: refuse the old one from now on' },
    ],
    exits: { 0: 'done', 1: 'failed', 2: 'wrong usage', 3: 'refused: see the message' },
    async run(terminal, input) {
      const step = input.flags['finish'] === true ? 'finish' : 'begin';
      const { path } = await rotateKey(await loadConfig(configRequest(input, slices)), step);
      if (step === 'finish') {
        terminal.print(`The old key is gone from ${path}. Filers without the new one are refused.`);
        return EXIT.done;
      }
      terminal.print(`${path} holds a new key, and the old one for now. Next:`);
      terminal.print('  1. Copy the file to each filer, over the old one, by a safe way.');
      terminal.print('  2. Send each filer SIGHUP (systemctl reload), or start it again.');
      terminal.print('  3. When each has said in its log that it has read the key again:');
      terminal.print('     holdfast cluster key-rotate --finish');
      return EXIT.done;
    },
  };
}
