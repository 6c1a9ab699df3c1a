import type { TenantId } from '../../base/ids.ts';
import { loadConfig } from '../../platform/index.ts';
import type { Config, Slice } from '../../platform/index.ts';
import { EXIT, flagText } from '../command.ts';
import type { Command, CommandFlag, CommandInput, Terminal } from '../command.ts';
import { configRequest } from '../config-flags.ts';
import { TENANT_FLAG, tenantOf } from '../tenant-flag.ts';

export interface KeysStatus {
  readonly masterId: string;
  readonly isLame: boolean;
  readonly tenants: readonly {
    readonly tenantId: string;
    readonly currentKeyId: number | undefined;
    readonly currentSinceMs: number | undefined;
    readonly oldKeyCount: number;
    readonly shreddedKeyCount: number;
  }[];
}

export interface KeysOf {
  readonly config: Config;
  readonly tenant: TenantId;
}

/** Each works on the data directory of the configuration. All but `status` need it to themselves:
 *  @throws conflict, code `data-locked`: a server runs on it. */
export interface KeyParts {
  readonly slices: readonly Slice[];
  readonly init: (of: KeysOf) => Promise<KeysStatus>;
  readonly rotate: (of: KeysOf) => Promise<KeysStatus>;
  readonly rotateMaster: (of: KeysOf, newFile: string) => Promise<KeysStatus>;
  readonly shred: (of: KeysOf, typed: string) => Promise<KeysStatus>;
  /** Undefined when nothing was ever encrypted. */
  readonly status: (of: KeysOf) => Promise<KeysStatus | undefined>;
}

const FLAGS: readonly CommandFlag[] = [
  { flags: '--data <dir>', docs: 'the data directory (./data)' },
  { flags: '--config <file>', docs: 'settings, in TOML, that name the file of the master key' },
  TENANT_FLAG,
];
const EXITS = {
  0: 'done',
  1: 'failed, with the reason on screen',
  2: 'wrong usage',
  3: 'refused: see the message',
};

export function keysCommands(parts: KeyParts): readonly Command[] {
  return [
    changing(parts, {
      name: 'keys init',
      summary: 'Make the keys by which what is stored from now on is encrypted',
      details: 'The setting storage.encryption_key_file names the file of the master key, outside '
        + 'of the data directory; it is made unless it is there. Keep a copy of it elsewhere: '
        + 'without it nothing can be read.',
      act: ({ of }) => parts.init(of),
    }),
    changing(parts, {
      name: 'keys rotate',
      summary: 'Encrypt with a new key from now on; what is stored stays readable',
      act: ({ of }) => parts.rotate(of),
    }),
    changing(parts, {
      name: 'keys rotate-master',
      summary: 'Put another master key in charge; no stored byte is touched',
      args: [{ name: '<file>', docs: 'of the new master key; made unless it is there' }],
      act: ({ of, input }) => parts.rotateMaster(of, input.args[0] ?? ''),
      after: 'Name the new file in storage.encryption_key_file before the next start.',
    }),
    changing(parts, {
      name: 'keys shred',
      summary: 'Destroy the keys, and with them everything that was encrypted, for ever',
      flags: [{ flags: '--confirm <text>', docs: 'the text that the command asks for' }],
      act: ({ of, input }) => parts.shred(of, flagText(input, 'confirm') ?? ''),
    }),
    status(parts),
  ];
}

interface Change {
  readonly name: string;
  readonly summary: string;
  readonly details?: string;
  readonly args?: Command['args'];
  readonly flags?: readonly CommandFlag[];
  readonly act: (so: { of: KeysOf; input: CommandInput }) => Promise<KeysStatus>;
  readonly after?: string;
}

function changing({ slices }: KeyParts, change: Change): Command {
  const { name, summary, details, args, flags = [], act, after } = change;
  return {
    name, summary, flags: [...FLAGS, ...flags], exits: EXITS,
    ...(details !== undefined && { details }), ...(args !== undefined && { args }),
    async run(terminal, input) {
      const config = await loadConfig(configRequest(input, slices));
      show(terminal, await act({ of: { config, tenant: tenantOf(input) }, input }));
      if (after !== undefined) terminal.print(after);
      return EXIT.done;
    },
  };
}

function status({ slices, status: read }: KeyParts): Command {
  return {
    name: 'keys status',
    summary: 'Show which keys there are; nothing of the keys themselves',
    flags: FLAGS, exits: EXITS,
    async run(terminal, input) {
      const config = await loadConfig(configRequest(input, slices));
      const found = await read({ config, tenant: tenantOf(input) });
      if (found === undefined) terminal.print('There are no keys: nothing is encrypted.');
      else show(terminal, found);
      return EXIT.done;
    },
  };
}

function show(terminal: Terminal, { masterId, isLame, tenants }: KeysStatus): void {
  terminal.print(`master key ${masterId}`);
  if (isLame) terminal.print('One of the two files of the key ring is damaged; a start mends it.');
  for (const tenant of tenants) {
    const { tenantId, currentKeyId, currentSinceMs, oldKeyCount, shreddedKeyCount } = tenant;
    const since = new Date(currentSinceMs ?? 0).toISOString().slice(0, 10);
    const current = currentKeyId === undefined ? 'all keys destroyed'
      : `key ${currentKeyId} since ${since}`;
    const others = `${oldKeyCount} older, ${shreddedKeyCount} destroyed`;
    terminal.print(`  ${tenantId}: ${current}, ${others}`);
  }
}
