/** What all `gc` commands share. */
import type { CollectorReport, GarbageCollector, GcStatus } from '../durability/index.ts';
import { HoldfastError, isKind } from '../base/errors.ts';
import type { TenantId } from '../base/ids.ts';
import { loadConfig, serverSlice } from '../platform/index.ts';
import type { Config, Slice } from '../platform/index.ts';
import type { CommandFlag, CommandInput } from './command.ts';
import { configRequest } from './config-flags.ts';
import { TENANT_FLAG, tenantOf } from './tenant-flag.ts';

export interface GcParts {
  readonly slices: readonly Slice[];
  /** Reads the notes, whether or not a server runs. */
  readonly readStatus: (
    dataDirectory: string, tenant: TenantId,
  ) => Promise<GcStatus & { readonly mirror?: GcStatus }>;
  /** Opens the stores of a data directory for one command. @throws conflict, code `data-locked`: a
   *  server runs on it. */
  readonly openCollector: (
    dataDirectory: string, opening: { config: Config; tenant: TenantId },
  ) => Promise<OpenedCollector>;
}

export interface OpenedCollector {
  readonly collector: GarbageCollector;
  /** Of the second place, if there is a mirror. */
  readonly mirror: OpenedMirrorCollector | undefined;
  close(): Promise<void>;
}

export interface OpenedMirrorCollector {
  /** Undefined: not now, for not everything is known to be in both places. */
  run(): Promise<CollectorReport | undefined>;
  /** @throws not-found, unavailable. */
  restore(volumeId: number): Promise<void>;
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
  parts: GcParts, input: CommandInput,
  act: (collector: GarbageCollector, opened: OpenedCollector) => Promise<T>,
): Promise<T> {
  const config = await configOf(parts, input);
  const { dataDirectory } = config.of(serverSlice);
  const opened = await parts.openCollector(dataDirectory, { config, tenant: tenantOf(input) })
    .catch((error: unknown) => {
      throw isKind(error, 'conflict') && error.code === 'data-locked' ? stopFirst(error) : error;
    });
  try {
    return await act(opened.collector, opened);
  } finally {
    await opened.close();
  }
}

function stopFirst(cause: HoldfastError): HoldfastError {
  const message = `${cause.message} It collects garbage by itself: see holdfast gc status. To do `
    + 'it by hand, stop it first.';
  return new HoldfastError('conflict', 'cli/gc', message, { code: 'data-locked', cause });
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
