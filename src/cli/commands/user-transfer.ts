/** Hands the files of an account over. The server judges; without --yes it only shows the plan. */
import type { ShareLine, TransferPlan, TransferReport } from '../../files/index.ts';
import { loadConfig, serverSlice } from '../../platform/index.ts';
import { EXIT, flagText } from '../command.ts';
import type { Command, CommandInput, Terminal } from '../command.ts';
import { configRequest } from '../config-flags.ts';
import { asker, DISK_FLAGS, onlyPlanned, YES_FLAG } from '../disk-command.ts';
import type { Answer, DiskParts } from '../disk-command.ts';
import { sizeText } from '../gc-command.ts';
import type { UserParts } from '../user-command.ts';

export type TransferParts = DiskParts & Pick<UserParts, 'noteAct'>;

const LINES_MAX = 100;

export function userTransfer(parts: TransferParts): Command {
  return {
    name: 'user transfer',
    summary: 'Hand all files of an account over to another one, with their shares and links',
    details: 'Everything goes to a folder "Files of <from>" of the receiver, in one step: after a\n'
      + 'crash it is all with the one or all with the other, and the same command goes on.\n'
      + 'Shares stay where the receivers have put them, and links keep their address. Older\n'
      + 'versions and the trash stay with the account, as does what others share with it.\n'
      + 'Either account may be in use; that of <from> may be disabled, before or after.',
    args: [
      { name: '<from>', docs: 'the account whose files are handed over' },
      { name: '[to]', docs: 'the account that gets them; none with --to-space' },
    ],
    flags: [
      ...DISK_FLAGS,
      { flags: '--folder <path>', docs: 'only this file or folder, like Projects/Tower' },
      { flags: '--to-space <team>', docs: 'to a team folder, by its name or number' },
      YES_FLAG,
    ],
    exits: {
      0: 'planned, or handed over as it was', 2: 'wrong usage',
      1: 'failed, or handed over with differences, which are on screen',
      3: 'refused, with the reasons on screen',
    },
    async run(terminal, input) {
      const order = orderOf(input);
      if (order === undefined) {
        terminal.complain('Name the account or, by --to-space, the team that gets the files.');
        return EXIT.usage;
      }
      const ask = await asker(parts, input);
      const plan = await ask('transfer.plan', order) as unknown as TransferPlan;
      showPlan(terminal, plan);
      const isPossible = plan.objections.length === 0;
      if (!isPossible || input.flags['yes'] !== true) return onlyPlanned(terminal, isPossible);
      const report = await ask('transfer.apply', order) as unknown as TransferReport;
      showReport(terminal, report);
      const config = await loadConfig(configRequest(input, parts.slices));
      await parts.noteAct(config.of(serverSlice).dataDirectory, {
        act: 'files-transferred', tenant: plan.tenant, subject: plan.from, note: noteOf(report),
      });
      return report.differences.length === 0 ? EXIT.done : EXIT.failed;
    },
  };
}

function orderOf(input: CommandInput): Answer | undefined {
  const [from = '', to] = input.args;
  const team = flagText(input, 'to-space');
  if ((to === undefined) === (team === undefined)) return undefined;
  const folder = flagText(input, 'folder');
  return {
    from, ...(to !== undefined && { to }), ...(team !== undefined && { team }),
    ...(folder !== undefined && { folder }),
  };
}

function showPlan(terminal: Terminal, plan: TransferPlan): void {
  const { from, to, folderName, fileCount, folderCount, sizeBytes, shares, received } = plan;
  const { oldVersionCount, trashCount, trashBytes, isInterrupted, notes, objections } = plan;
  terminal.print(`From ${from} to ${to}, into the folder "${folderName}":`);
  terminal.print(`  files: ${fileCount}, folders: ${folderCount}, ${sizeText(sizeBytes)}`);
  showShares(terminal, shares);
  terminal.print('What stays:');
  terminal.print(`  shared with ${from} by others: ${received.length}`);
  showSome(terminal, received, ({ path, owner }) => `${path} (from ${owner})`);
  terminal.print(`  older versions: ${oldVersionCount}; in the trash: ${trashCount} `
    + `(${sizeText(trashBytes)}); kept as long as ever`);
  if (isInterrupted) terminal.print('  note: an order like this was interrupted; it would go on.');
  for (const note of notes) terminal.print(`  note: ${note}`);
  for (const objection of objections) terminal.print(`  NOT POSSIBLE: ${objection}`);
}

function showShares(terminal: Terminal, shares: readonly ShareLine[]): void {
  const links = shares.filter(({ kind }) => kind === 'link');
  const others = shares.filter(({ kind }) => kind !== 'link');
  terminal.print(`  shares: ${others.length}`);
  showSome(terminal, others, ({ path, kind, whom, role }) => `${path}: ${kind} ${whom}, ${role}`);
  terminal.print(`  links: ${links.length}`);
  showSome(terminal, links, ({ id, path, whom, role, hasPassword, expiresAt }) => [
    `${path}: link ${id}`, ...(whom === '' ? [] : [`"${whom}"`]), role,
    ...(hasPassword ? ['with password'] : []),
    ...(expiresAt === undefined ? [] : [`until ${new Date(expiresAt).toISOString()}`]),
  ].join(', '));
}

function showSome<T>(terminal: Terminal, items: readonly T[], lineOf: (item: T) => string): void {
  for (const item of items.slice(0, LINES_MAX)) terminal.print(`    ${lineOf(item)}`);
  if (items.length > LINES_MAX) terminal.print(`    … and ${items.length - LINES_MAX} more`);
}

function showReport(terminal: Terminal, report: TransferReport): void {
  const { plan, folderName, before, after, linksKept, remainingCount } = report;
  const { placesKept, placesLost } = report;
  terminal.print(`Handed over to ${plan.to}, into "${folderName}". Before and after:`);
  const rows = [
    ['files', 'fileCount'], ['folders', 'folderCount'], ['bytes', 'sizeBytes'],
    ['shares', 'shareCount'], ['links', 'linkCount'],
  ] as const;
  for (const [noun, field] of rows) {
    terminal.print(`  ${noun}: ${before[field]} before, ${after[field]} after`);
  }
  terminal.print(`  links that lead to the same by the same address: ${linksKept}`);
  terminal.print(`  places in the folders of receivers: ${placesKept} as they were`
    + (placesLost === 0 ? '' : `, ${placesLost} new ones in their root`));
  if (remainingCount > 0) {
    terminal.print(`  still with ${plan.from}: ${remainingCount}, see above or new meanwhile`);
  }
  for (const difference of report.differences) terminal.print(`  DIFFERENT: ${difference}`);
  if (report.differences.length === 0) {
    terminal.print('Nothing differs: every path, size, time, share and link is as it was.');
  }
}

function noteOf({ plan, after, differences }: TransferReport): string {
  const { fileCount, sizeBytes, shareCount, linkCount } = after;
  return `to ${plan.to}: ${fileCount} files, ${sizeBytes} bytes, ${shareCount} shares, `
    + `${linkCount} links, ${differences.length} differences`;
}
