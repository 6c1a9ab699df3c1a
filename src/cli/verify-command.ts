/** What all `verify` commands share: the data directory, and what the app opens on it. */
import type { CanaryBackends, Verifier, VerifyStore } from '../durability/index.ts';
import { findDataDirectory, loadConfig, serverSlice } from '../platform/index.ts';
import type { Clock, Config, Slice } from '../platform/index.ts';
import type { CommandFlag, CommandInput } from './command.ts';
import { configRequest } from './config-flags.ts';

export interface VerifyParts {
  readonly slices: readonly Slice[];
  readonly clock: Clock;
  /** Who gives the command, as the machine knows him. */
  readonly who: () => string;
  /** The notes of a data directory, for reading; undefined when no verifier has ever run. */
  readonly openNotesReadonly: (dataDirectory: string) => VerifyStore | undefined;
  readonly openNotes: (dataDirectory: string) => VerifyStore;
  /** All verifiers that can work beside a server, or without one. */
  readonly openVerifiers: (
    dataDirectory: string, opening: { store: VerifyStore; config: Config },
  ) => Promise<OpenVerifiers>;
  readonly backends: CanaryBackends;
}

export interface OpenVerifiers {
  readonly verifiers: readonly Verifier[];
  close(): Promise<void>;
}

export const VERIFY_FLAGS: readonly CommandFlag[] = [
  { flags: '--data <dir>', docs: 'the data directory (./data); a server may run on it' },
  { flags: '--config <file>', docs: 'settings, in TOML, that name the data directory and keys' },
  { flags: '--json', docs: 'for programs: one JSON object' },
];

/** @throws not-found: there is no Holdfast data there; nothing is made. */
export async function verifiedDirectory(parts: VerifyParts, input: CommandInput): Promise<string> {
  return (await verifiedData(parts, input)).directory;
}

/** The same, with the settings. */
export async function verifiedData(
  parts: VerifyParts, input: CommandInput,
): Promise<{ directory: string; config: Config }> {
  const config = await loadConfig(configRequest(input, parts.slices));
  const { path } = await findDataDirectory(config.of(serverSlice).dataDirectory);
  return { directory: path, config };
}
