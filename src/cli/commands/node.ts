/** Several servers on one database: which there are, and how another one begins. */
import { loadConfig } from '../../platform/index.ts';
import type { Config, NodeRecord, Slice } from '../../platform/index.ts';
import { EXIT } from '../command.ts';
import type { Command } from '../command.ts';
import { configRequest } from '../config-flags.ts';

export interface NodeCommandParts {
  readonly slices: readonly Slice[];
  /** By name, the dead ones included. */
  readonly list: (config: Config) => Promise<readonly NodeRecord[]>;
  /** Makes the data directory of another server. @throws conflict. */
  readonly prepare: (config: Config, folder: string) => Promise<void>;
}

const FLAGS = [
  { flags: '--data <dir>', docs: 'the data directory (./data)' },
  { flags: '--config <file>', docs: 'settings, in TOML, that name data directory and database' },
];
const EXITS = { 0: 'done, or shown', 1: 'failed', 2: 'wrong usage', 3: 'refused' };
const SILENT_MS = 10_000;

export function nodeCommands(parts: NodeCommandParts): Command[] {
  return [list(parts), prepare(parts)];
}

function list({ slices, list: listNodes }: NodeCommandParts): Command {
  return {
    name: 'node list', summary: 'List the servers that serve together on one database',
    details: 'Columns: name, whether it is there, version, machine and data directory. Whether it '
      + 'is there: it tells every second; one that was silent for ten is "silent", with for how '
      + 'many seconds.',
    flags: FLAGS, exits: EXITS,
    async run(terminal, input) {
      const nodes = await listNodes(await loadConfig(configRequest(input, slices)));
      for (const node of nodes) terminal.print(lineOf(node));
      if (nodes.length === 0) terminal.complain('No server runs.');
      return EXIT.done;
    },
  };
}

function lineOf({ name, silentMs, version, place }: NodeRecord): string {
  const state = silentMs < SILENT_MS ? 'there' : `silent ${Math.round(silentMs / 1000)} s`;
  return [name, state, version, place].join('\t');
}

function prepare({ slices, prepare: prepareNode }: NodeCommandParts): Command {
  return {
    name: 'node prepare', summary: 'Make the data directory of another server on the same database',
    details: 'Its files hold keys: carry the folder to the other machine by a safe way, and start '
      + 'the server there with the same settings, but for cluster.node and its addresses. The '
      + 'server of this data directory may go on meanwhile.',
    args: [{ name: '<folder>', docs: 'absent, or empty' }],
    flags: FLAGS, exits: EXITS,
    async run(terminal, input) {
      const [folder] = input.args;
      if (folder === undefined) return EXIT.usage;
      await prepareNode(await loadConfig(configRequest(input, slices)), folder);
      terminal.print(`Made ${folder}. On the other machine:`);
      terminal.print('  HOLDFAST_CLUSTER_NODE=NAME holdfast serve --data FOLDER');
      return EXIT.done;
    },
  };
}
