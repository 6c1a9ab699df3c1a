import { HoldfastError } from '../../base/errors.ts';
import { EagerBudget, noteRun, verifyReport, verifyReportText } from '../../durability/index.ts';
import type { Verifier, VerifyStore } from '../../durability/index.ts';
import { EXIT, flagText } from '../command.ts';
import type { Command, Terminal } from '../command.ts';
import { verifiedData, VERIFY_FLAGS } from '../verify-command.ts';
import type { VerifyParts } from '../verify-command.ts';

const BYTES_PER_TURN = 4 * 1024 * 1024;
const ITEMS_PER_TURN = 1_024;
const PROGRESS_EVERY_MS = 5_000;

export function verifyRun(parts: VerifyParts): Command {
  return {
    name: 'verify run',
    summary: 'Check everything now, once, as fast as the disks allow',
    flags: [
      ...VERIFY_FLAGS,
      { flags: '--only <verifier>', docs: 'just this one, by its name in the status' },
    ],
    details: `
Reads only. A server may run meanwhile; it goes on with its own checks. What may be a write under
way counts when a second run, an hour later, sees it again. Ctrl-C stops; the next run goes on.`,
    exits: {
      0: 'checked, and no damage is open', 1: 'damage is open, or something could not be checked',
      2: 'wrong usage', 3: 'refused: see the message',
    },
    async run(terminal, input) {
      const { directory, home, config, tenant } = await verifiedData(parts, input);
      const isJson = input.flags['json'] === true;
      const notes = parts.openNotes(home);
      let isWhole = true;
      try {
        const opened = await parts.openVerifiers(directory, { store: notes, config, tenant });
        try {
          for (const verifier of chosen(opened.verifiers, flagText(input, 'only'))) {
            isWhole = await runOne(verifier, { parts, terminal, notes }) && isWhole;
          }
        } finally {
          await opened.close();
        }
        const report = verifyReport(notes, parts.clock.now());
        if (isJson) terminal.print(JSON.stringify(report));
        else for (const line of verifyReportText(report)) terminal.print(line);
        return isWhole && report.openDamage === 0 ? EXIT.done : EXIT.failed;
      } finally {
        notes.close();
      }
    },
  };
}

function chosen(verifiers: readonly Verifier[], only: string | undefined): readonly Verifier[] {
  const wanted = verifiers.filter(({ id }) => only === undefined || id === only);
  if (wanted.length > 0) return wanted;
  const names = verifiers.map(({ id }) => id).join(', ');
  const message = `There is no such verifier. Say one of: ${names}.`;
  throw new HoldfastError('invalid', 'cli/verifyRun', message);
}

/** False when it could not check everything: the others go on all the same. */
async function runOne(
  verifier: Verifier, so: { parts: VerifyParts; terminal: Terminal; notes: VerifyStore },
): Promise<boolean> {
  const { parts: { clock }, terminal, notes } = so;
  const { id, unit } = verifier;
  const { signal } = new AbortController();
  const budget = new EagerBudget(unit === 'bytes' ? BYTES_PER_TURN : ITEMS_PER_TURN);
  const begunMs = clock.monotonic();
  let toldMs = begunMs;
  const onProgress = (checked: number, expected: number | undefined): void => {
    if (clock.monotonic() - toldMs < PROGRESS_EVERY_MS) return;
    toldMs = clock.monotonic();
    const whole = expected === undefined ? '' : ` of ${expected}`;
    terminal.complain(`${id}: ${checked}${whole} ${unit}`);
  };
  try {
    const { reason, checked, reports } = await noteRun(verifier, { store: notes, clock }, () =>
      verifier.run(budget, signal, { everything: true, onProgress }));
    const seconds = ((clock.monotonic() - begunMs) / 1000).toFixed(2);
    const found = `${reports} ${reports === 1 ? 'report' : 'reports'}`;
    terminal.complain(`${id}: ${reason ?? `${checked} ${unit}, ${found}`} (${seconds} s)`);
    return true;
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    terminal.complain(`${id}: ${error.message}`);
    return false;
  }
}
