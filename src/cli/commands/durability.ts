import type { TenantId } from '../../base/ids.ts';
import { durabilityReport, durabilityText, parseAssumption } from '../../durability/index.ts';
import type { DurabilityInput } from '../../durability/index.ts';
import { loadConfig } from '../../platform/index.ts';
import type { Config, Slice } from '../../platform/index.ts';
import { EXIT } from '../command.ts';
import type { Command } from '../command.ts';
import { configRequest } from '../config-flags.ts';
import { TENANT_FLAG, tenantOf } from '../tenant-flag.ts';

export interface DurabilityParts {
  readonly slices: readonly Slice[];
  /** The configured disks and classes, what was measured, and what the verifiers counted. */
  readonly readFleet: (config: Config, tenant: TenantId) => Promise<DurabilityInput>;
}

/** Reads only; a server may run on the data directory. */
export function durability({ slices, readFleet }: DurabilityParts): Command {
  return {
    name: 'durability',
    summary: 'Show how likely it is to lose data in a year, and what that rests on',
    details: 'Without --assume the configured and measured figures are taken. Examples:\n' +
      '  holdfast durability\n' +
      '  holdfast durability --assume diskLossesPerYear=0.05 scrubIntervalMs=2592000000',
    flags: [
      { flags: '--data <dir>', docs: 'the data directory (./data); a server may run on it' },
      { flags: '--config <file>', docs: 'settings, in TOML, that name the data directory' },
      TENANT_FLAG,
      { flags: '--assume <figure...>', docs: 'what if: name=number, with names as in --json' },
      { flags: '--json', docs: 'all figures, for programs' },
    ],
    exits: { 0: 'shown', 1: 'the data directory cannot be read', 2: 'wrong usage' },
    async run(terminal, input) {
      const { assume } = input.flags;
      const figures = Array.isArray(assume) ? assume as readonly string[] : [];
      const assumed = Object.fromEntries(figures.map(parseAssumption));
      const fleet = await readFleet(
        await loadConfig(configRequest(input, slices)), tenantOf(input),
      );
      const assumptions = { ...fleet.assumptions, ...assumed };
      const report = durabilityReport({ ...fleet, assumptions });
      const isJson = input.flags['json'] === true;
      terminal.print(isJson ? JSON.stringify(report, undefined, 2) : durabilityText(report));
      return EXIT.done;
    },
  };
}
