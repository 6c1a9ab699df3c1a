/** What all `verify` commands share: the data directory, and what the app opens on it. */
import type { TenantId } from '../base/ids.ts';
import type { CanaryBackends, CanaryMetadata, Verifier, VerifyStore } from '../durability/index.ts';
import { findDataDirectory, loadConfig, serverSlice } from '../platform/index.ts';
import type { Clock, Config, ProcessEvents, Slice } from '../platform/index.ts';
import type { CommandFlag, CommandInput } from './command.ts';
import { configRequest } from './config-flags.ts';
import { TENANT_FLAG, tenantOf } from './tenant-flag.ts';

export interface VerifyParts {
  readonly slices: readonly Slice[];
  readonly clock: Clock;
  /** Who gives the command, as the machine knows him. */
  readonly who: () => string;
  /** Where a tenant's storage is looked after: the data directory, or a folder in it.
   *  @throws not-found. */
  readonly findHome: (dataDirectory: string, tenant: TenantId) => Promise<string>;
  /** The notes of that, for reading; undefined when no verifier has ever run. */
  readonly openNotesReadonly: (home: string) => VerifyStore | undefined;
  readonly openNotes: (home: string) => VerifyStore;
  /** All verifiers that can work beside a server, or without one. */
  readonly openVerifiers: (
    dataDirectory: string,
    opening: { store: VerifyStore; config: Config; tenant: TenantId },
  ) => Promise<OpenVerifiers>;
  readonly canaries: Omit<CanaryBackends, 'metadata'> & {
    /** Everywhere that the installation keeps metadata; `onFiles`: files shall do. */
    readonly findMetadata: (
      dataDirectory: string, options: { config: Config; onFiles: boolean },
    ) => Promise<readonly CanaryMetadata[]>;
  };
  /** `process`, or a stand-in for tests. */
  readonly events: ProcessEvents;
}

export interface OpenVerifiers {
  readonly verifiers: readonly Verifier[];
  close(): Promise<void>;
}

export const VERIFY_FLAGS: readonly CommandFlag[] = [
  { flags: '--data <dir>', docs: 'the data directory (./data); a server may run on it' },
  { flags: '--config <file>', docs: 'settings, in TOML, that name the data directory and keys' },
  TENANT_FLAG,
  { flags: '--json', docs: 'for programs: one JSON object' },
];

/** Where the notes are. @throws not-found: there is no Holdfast data there; nothing is made. */
export async function verifiedDirectory(parts: VerifyParts, input: CommandInput): Promise<string> {
  return (await verifiedData(parts, input)).home;
}

/** The same, with the settings. */
export async function verifiedData(
  parts: VerifyParts, input: CommandInput,
): Promise<{ directory: string; home: string; config: Config; tenant: TenantId }> {
  const config = await loadConfig(configRequest(input, parts.slices));
  const { path } = await findDataDirectory(config.of(serverSlice).dataDirectory);
  const tenant = tenantOf(input);
  return { directory: path, home: await parts.findHome(path, tenant), config, tenant };
}
