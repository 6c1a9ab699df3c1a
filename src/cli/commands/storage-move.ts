import { DEFAULT_TENANT } from '../../base/ids.ts';
import { loadConfig } from '../../platform/index.ts';
import type { Config, Slice } from '../../platform/index.ts';
import { EXIT, flagText } from '../command.ts';
import type { Command, Terminal } from '../command.ts';
import { configRequest } from '../config-flags.ts';
import { amount, GC_EXITS, sizeText } from '../gc-command.ts';

/** Of one tenant's storage. */
export interface StorageMovePlan {
  readonly tenant: string;
  readonly place: string;
  readonly blockCount: number;
  readonly storedBytes: number;
  /** Blocks that the place does not have yet. */
  readonly lackingCount: number;
}

export interface StorageMove {
  /** Changes nothing. */
  plan(): Promise<readonly StorageMovePlan[]>;
  /** Copies, reads everything at the target, and only then says that it lies there. */
  run(
    onProgress: (tenant: string, done: { blockCount: number; copiedBytes: number }) => void,
  ): Promise<void>;
  close(): Promise<void>;
}

export interface StorageMoveParts {
  readonly slices: readonly Slice[];
  /** @throws conflict, code `data-locked`: a server runs; precondition: the settings do not fit. */
  readonly open: (
    config: Config, options: { to: 'mirror' | 'local'; policy: string },
  ) => Promise<StorageMove>;
}

const TOLD_EVERY = 10_000;

/** Needs the data directory to itself. Without --yes it only shows the plan. */
export function storageMove({ slices, open }: StorageMoveParts): Command {
  return {
    name: 'storage move',
    summary: 'Move all content to the object store that is its mirror, or back to local volumes',
    details: 'Stop the server first. Everything is copied and read at the target before anything '
      + 'counts as moved; cut short, it goes on when it is given again. Nothing is removed where '
      + 'it was.',
    flags: [
      { flags: '--data <dir>', docs: 'the data directory (./data)' },
      { flags: '--config <file>', docs: 'settings, in TOML, as they were until now' },
      { flags: '--to <place>', docs: '`mirror`, as the settings have it, or `local`' },
      { flags: '--policy <name>', docs: 'the storage policy that is moved (default)' },
      { flags: '--yes', docs: 'move; without it only the plan is shown' },
    ],
    exits: GC_EXITS,
    async run(terminal, input) {
      const to = flagText(input, 'to');
      if (to !== 'mirror' && to !== 'local') {
        terminal.complain('Say where to: --to mirror, or --to local');
        return EXIT.usage;
      }
      const policy = flagText(input, 'policy') ?? DEFAULT_TENANT;
      const move = await open(await loadConfig(configRequest(input, slices)), { to, policy });
      try {
        for (const one of await move.plan()) terminal.print(planLine(one));
        if (input.flags['yes'] !== true) {
          terminal.print('nothing was moved; to move it: --yes');
          return EXIT.done;
        }
        await move.run(progressOn(terminal));
        for (const line of AFTER[to]) terminal.print(line);
        return EXIT.done;
      } finally {
        await move.close();
      }
    },
  };
}

function planLine(plan: StorageMovePlan): string {
  const { tenant, place, blockCount, storedBytes, lackingCount } = plan;
  return `${tenant}: ${amount(blockCount, 'block', storedBytes)} to ${place}; ${lackingCount} to `
    + 'copy, all to be read there';
}

function progressOn(terminal: Terminal) {
  let toldCount = 0;
  return (tenant: string, done: { blockCount: number; copiedBytes: number }): void => {
    const { blockCount, copiedBytes } = done;
    if (blockCount < toldCount) toldCount = 0; // The next tenant.
    if (blockCount - toldCount < TOLD_EVERY) return;
    toldCount = blockCount;
    terminal.print(`${tenant}: ${blockCount} blocks done, ${sizeText(copiedBytes)} copied`);
  };
}

const AFTER = {
  mirror: [
    'moved. Before the next start change the settings: what stands below storage.mirror.<kind> '
      + 'goes below storage.<kind>, storage.backend names that kind, storage.mirror goes.',
    'What lies where it was can be removed once you are sure that you do not want to go back.',
  ],
  local: [
    'moved. Before the next start set storage.backend to "local", and take out the settings of '
      + 'the object store.',
    'What lies there can be removed once you are sure that you do not want to go back.',
  ],
} as const;
