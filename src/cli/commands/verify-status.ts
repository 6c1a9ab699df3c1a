import { verifyReport, verifyReportText } from '../../durability/index.ts';
import { EXIT } from '../command.ts';
import type { Command } from '../command.ts';
import { verifiedDirectory, VERIFY_FLAGS } from '../verify-command.ts';
import type { VerifyParts } from '../verify-command.ts';

export function verifyStatus(parts: VerifyParts): Command {
  return {
    name: 'verify status',
    summary: 'Show what was checked, how long ago, and what was found',
    flags: [...VERIFY_FLAGS, { flags: '--all', docs: 'also what was explained, by whom and why' }],
    exits: {
      0: 'no damage is open', 1: 'damage is open, or the notes cannot be read',
      2: 'wrong usage', 3: 'refused: see the message',
    },
    async run(terminal, input) {
      const directory = await verifiedDirectory(parts, input);
      const notes = parts.openNotesReadonly(directory);
      if (notes === undefined) {
        const message = 'No verifier has run here yet. A running server checks in the background; '
          + 'to check everything now: holdfast verify run';
        terminal.print(input.flags['json'] === true ? '{"verifiers":[]}' : message);
        return EXIT.done;
      }
      try {
        const report = verifyReport(notes, parts.clock.now());
        if (input.flags['json'] === true) terminal.print(JSON.stringify(report));
        else {
          const all = input.flags['all'] === true;
          for (const line of verifyReportText(report, { all })) terminal.print(line);
        }
        return report.openDamage > 0 ? EXIT.failed : EXIT.done;
      } finally {
        notes.close();
      }
    },
  };
}
