/** What all `disk` commands share: they ask the running server, or do it alone. */
import { loadConfig } from '../platform/index.ts';
import type { Config, Slice } from '../platform/index.ts';
import type { CommandFlag, CommandInput, Terminal } from './command.ts';
import { EXIT } from './command.ts';
import { configRequest } from './config-flags.ts';
import { tenantInput } from './tenant-flag.ts';

/** Plain data, as it comes from the server. */
export type Answer = Readonly<Record<string, unknown>>;

export interface DiskParts {
  readonly slices: readonly Slice[];
  /** Has one operation done by the server that runs on the data directory, or in this process. */
  readonly ask: (config: Config, operation: string, input: Answer) => Promise<Answer>;
}

export interface PlanText {
  readonly diskId: string;
  readonly volumeCount: number;
  readonly volumeBytes: number;
  readonly objections: readonly string[];
  readonly notes: readonly string[];
}

export const DISK_FLAGS: readonly CommandFlag[] = [
  { flags: '--data <dir>', docs: 'the data directory (./data); a server may run on it' },
  { flags: '--config <file>', docs: 'settings, in TOML, that name the data directory' },
];
export const YES_FLAG: CommandFlag = { flags: '--yes', docs: 'do what the plan says; asks nobody' };
export const DISK_EXITS = {
  0: 'done, or planned', 1: 'failed, with the reason on screen', 2: 'wrong usage',
  3: 'refused: see the message',
};

export async function asker(
  { slices, ask }: DiskParts, input: CommandInput,
): Promise<(operation: string, input: Answer) => Promise<Answer>> {
  const config = await loadConfig(configRequest(input, slices));
  return (operation, order) => ask(config, operation, order);
}

/** For commands about disks: those of one tenant's storage. */
export async function diskAsker(
  parts: DiskParts, input: CommandInput,
): Promise<(operation: string, input: Answer) => Promise<Answer>> {
  const tenant = tenantInput(input);
  const ask = await asker(parts, input);
  return (operation, order) => ask(operation, { ...order, ...tenant });
}

/** Shows a plan. @returns whether nothing speaks against it. */
export function showPlan(terminal: Terminal, what: string, plan: PlanText): boolean {
  const { diskId, volumeCount, volumeBytes, objections, notes } = plan;
  const moved = volumeCount === 0 ? 'nothing has to be copied'
    : `${volumeCount} volume${volumeCount === 1 ? '' : 's'}, ${inGib(volumeBytes)}, to be copied`;
  terminal.print(`${what} disk ${diskId}: ${moved}`);
  for (const note of notes) terminal.print(`  note: ${note}`);
  for (const objection of objections) terminal.print(`  NOT POSSIBLE: ${objection}`);
  return objections.length === 0;
}

/** What to say and how to end after a plan that was not confirmed. */
export function onlyPlanned(terminal: Terminal, isPossible: boolean): number {
  if (!isPossible) return EXIT.refused;
  terminal.print('Nothing was done. To do it, say the same with --yes');
  return EXIT.done;
}

export function inGib(bytes: number): string {
  if (bytes >= 2 ** 30) return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
