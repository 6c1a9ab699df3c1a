/** What all `user` commands share: the accounts of a data directory, and a password. */
import { HoldfastError } from '../base/errors.ts';
import type { TenantId } from '../base/ids.ts';
import type { Identity } from '../identity/index.ts';
import { loadConfig, serverSlice } from '../platform/index.ts';
import type { Config, Slice } from '../platform/index.ts';
import type { CommandFlag, CommandInput, Terminal } from './command.ts';
import { configRequest } from './config-flags.ts';

export interface UserParts {
  readonly slices: readonly Slice[];
  /** Opens the accounts of a data directory, whether or not a server runs on it. */
  readonly openIdentity: (
    dataDirectory: string, options: { create: boolean; config: Config },
  ) => Promise<Identity>;
  /** Leaves a note for the audit log; durable once resolved. */
  readonly noteAct: (dataDirectory: string, act: NotedAct) => Promise<void>;
}

/** What a command did, for the audit log. */
export interface NotedAct {
  readonly act:
    | 'tenant-moved'
    | 'tenant-added' | 'user-added' | 'user-changed' | 'user-disabled' | 'user-enabled'
    | 'password-set' | 'second-factor-off' | 'group-changed' | 'quota-set' | 'retention-set'
    | 'files-transferred';
  /** Into whose log it goes. */
  readonly tenant: TenantId;
  /** Whom it was done to. */
  readonly subject: string;
  readonly note?: string;
}

export const USER_FLAGS: readonly CommandFlag[] = [
  { flags: '--data <dir>', docs: 'the data directory (./data); a server may run on it' },
  { flags: '--config <file>', docs: 'settings, in TOML, that name the data directory' },
];
export const PASSWORD_FLAG: CommandFlag = {
  flags: '--password-stdin', docs: 'read the password from the first line of standard input',
};
export const OF_TENANT_FLAG: CommandFlag = {
  flags: '--tenant <id>', docs: 'for good; see "tenant list" (default)',
};
export const USER_EXITS = {
  0: 'done',
  1: 'failed, with the reason on screen',
  2: 'wrong usage',
  3: 'refused: see the message',
};

/** Of a data directory that is there. @throws not-found: a mistyped one is not made. */
export function withIdentity<T>(
  parts: UserParts, input: CommandInput, act: (identity: Identity) => Promise<T>,
): Promise<T> {
  return withIdentityOf(parts, input, { create: false, act });
}

/** Makes the data directory if need be: accounts may be added before the server's first start. */
export function withNewIdentity<T>(
  parts: UserParts, input: CommandInput, act: (identity: Identity) => Promise<T>,
): Promise<T> {
  return withIdentityOf(parts, input, { create: true, act });
}

async function withIdentityOf<T>(
  parts: UserParts, input: CommandInput,
  { create, act }: { create: boolean; act: (identity: Identity) => Promise<T> },
): Promise<T> {
  const config = await loadConfig(configRequest(input, parts.slices));
  const { dataDirectory } = config.of(serverSlice);
  const identity = await parts.openIdentity(dataDirectory, { create, config });
  try {
    return await act(identity);
  } finally {
    await identity.close();
  }
}

/** After the deed: a note of what did not happen would be worse than one that is missing. */
export async function noteAct(
  parts: UserParts, input: CommandInput, act: NotedAct,
): Promise<void> {
  const config = await loadConfig(configRequest(input, parts.slices));
  await parts.noteAct(config.of(serverSlice).dataDirectory, act);
}

/** From standard input if so told, else from whoever sits at the terminal, asked twice.
 *  @throws invalid: nobody to ask, or the two differ. */
export async function readPassword(terminal: Terminal, input: CommandInput): Promise<string> {
  if (input.flags['password-stdin'] === true) {
    const [line = ''] = (await terminal.readInput()).split('\n');
    return line.replace(/\r$/, '');
  }
  const password = await terminal.askSecret('Password: ');
  if (password === undefined) {
    const message = 'Nobody is there to type a password. Give it by --password-stdin.';
    throw new HoldfastError('invalid', 'cli/readPassword', message);
  }
  if ((await terminal.askSecret('The same again: ')) !== password) {
    throw new HoldfastError('invalid', 'cli/readPassword', 'The two passwords differ.');
  }
  return password;
}
