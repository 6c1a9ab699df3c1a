import { HoldfastError } from '../../base/errors.ts';
import { explainFinding, reopenFinding } from '../../durability/index.ts';
import { EXIT, flagText } from '../command.ts';
import type { Command } from '../command.ts';
import { verifiedDirectory, VERIFY_FLAGS } from '../verify-command.ts';
import type { VerifyParts } from '../verify-command.ts';

export function verifyExplain(parts: VerifyParts): Command {
  return {
    name: 'verify explain',
    summary: 'Note why a finding is no reason to worry; it counts as open no more',
    args: [{ name: '<number>', docs: 'of the finding, as the status shows it' }],
    flags: [
      ...VERIFY_FLAGS.filter(({ flags }) => flags !== '--json'),
      { flags: '--why <text>', docs: 'what is behind it; kept with your name and the time' },
      { flags: '--reopen', docs: 'take the explanation back: it counts again' },
    ],
    details: `
Nothing of what is stored is changed, and the verifiers go on looking: a finding that is seen again
stays explained. See all explanations with: holdfast verify status --all`,
    exits: { 0: 'noted', 1: 'failed', 2: 'wrong usage', 3: 'refused: see the message' },
    async run(terminal, input) {
      const findingId = findingIdOf(input.args[0]);
      const why = flagText(input, 'why');
      const reopens = input.flags['reopen'] === true;
      if (findingId === undefined || (why === undefined) !== reopens) return EXIT.usage;
      const directory = await verifiedDirectory(parts, input);
      const known = parts.openNotesReadonly(directory);
      known?.close();
      if (known === undefined) {
        const message = 'No verifier has run here yet: there is nothing to explain.';
        throw new HoldfastError('not-found', 'cli/verifyExplain', message);
      }
      const notes = parts.openNotes(directory);
      try {
        const atMs = parts.clock.now();
        if (why === undefined) reopenFinding(notes, findingId, atMs);
        else explainFinding(notes, findingId, { why, who: parts.who(), atMs });
        terminal.print(`#${findingId} ${reopens ? 'counts again' : 'is explained'}`);
        return EXIT.done;
      } finally {
        notes.close();
      }
    },
  };
}

function findingIdOf(text: string | undefined): number | undefined {
  const digits = /^#?(\d{1,15})$/.exec(text ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}
