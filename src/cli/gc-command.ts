/** What all `gc` commands share. */
import type { GarbageCollector, GcStatus } from '../durability/index.ts';
import type { TenantId } from '../base/ids.ts';
import { loadConfig, serverSlice } from '../platform/index.ts';
import type { Config, Slice } from '../platform/index.ts';
import type { CommandFlag, CommandInput } from './command.ts';
import { configRequest } from './config-flags.ts';
import { TENANT_FLAG, tenantOf } from './tenant-flag.ts';

export interface GcParts {
  readonly slices: readonly Slice[];
  /** Reads the notes, whether or not a server runs. */
  readonly readStatus: (dataDirectory: string, tenant: TenantId) => Promise<GcStatus>;
  /** Opens the stores of a data directory for one command. @throws conflict, code `data-locked`: a
   *  server runs on it. */
  readonly openCollector: (
    dataDirectory: string, opening: { config: Config; tenant: TenantId },
  ) => Promise<OpenedCollector>;
}

export interface OpenedCollector {
  readonly collector: GarbageCollector;
  close(): Promise<void>;
}

export const GC_FLAGS: readonly CommandFlag[] = [
  { flags: '--data <dir>', docs: 'the data directory (./data)' },
  { flags: '--config <file>', docs: 'settings, in TOML, that name the data directory' },
  TENANT_FLAG,
];
export const GC_EXITS = {
  0: 'done',
  1: 'failed, with the reason on screen',
  2: 'wrong usage',
  3: 'refused: see the message',
};

export async function dataDirectoryOf(parts: GcParts, input: CommandInput): Promise<string> {
  return (await configOf(parts, input)).of(serverSlice).dataDirectory;
}

function configOf(parts: GcParts, input: CommandInput): Promise<Config> {
  return loadConfig(configRequest(input, parts.slices));
}

export async function withCollector<T>(
  parts: GcParts, input: CommandInput, act: (collector: GarbageCollector) => Promise<T>,
): Promise<T> {
  const config = await configOf(parts, input);
  const opened = await parts.openCollector(config.of(serverSlice).dataDirectory, {
    config, tenant: tenantOf(input),
  });
  try {
    return await act(opened.collector);
  } finally {
    await opened.close();
  }
}

/** `17 blocks, 4.2 MiB`. */
export function amount(count: number, noun: string, bytes: number): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}, ${sizeText(bytes)}`;
}

export function sizeText(bytes: number): string {
  for (const [unit, factor] of [['GiB', 2 ** 30], ['MiB', 2 ** 20], ['KiB', 2 ** 10]] as const) {
    if (bytes >= factor) return `${(bytes / factor).toFixed(1)} ${unit}`;
  }
  return `${bytes} bytes`;
}

export function timeOf(atMs: number | undefined): string {
  return atMs === undefined ? 'never' : new Date(atMs).toISOString().slice(0, 16).replace('T', ' ');
}
