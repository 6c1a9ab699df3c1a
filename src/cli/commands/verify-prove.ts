import { join } from 'node:path';
import { proveVerifiers, table } from '../../durability/index.ts';
import type { Proof } from '../../durability/index.ts';
import { EXIT } from '../command.ts';
import type { Command, Terminal } from '../command.ts';
import { verifiedDirectory, VERIFY_FLAGS } from '../verify-command.ts';
import type { VerifyParts } from '../verify-command.ts';

/** Within the data directory, so that it lies on the same disk; made and removed by each proof. */
const CANARY = 'verify-canary';

export function verifyProve(parts: VerifyParts): Command {
  return {
    name: 'verify prove',
    summary: 'Plant faults of every kind in a canary and see that each is found and repaired',
    flags: VERIFY_FLAGS,
    details: `
The faults are planted in a small store of its own, which is removed again. Nothing else of the data
directory is read or changed, and a server may run meanwhile.`,
    exits: {
      0: 'every fault was found by those who must find it, and nothing else was reported',
      1: 'not proved; the table shows what is wrong', 2: 'wrong usage', 3: 'refused',
    },
    async run(terminal, input) {
      const directory = await verifiedDirectory(parts, input);
      const { signal } = new AbortController();
      const isJson = input.flags['json'] === true;
      const proof = await proveVerifiers({
        directory: join(directory, CANARY), backends: parts.backends, signal,
      });
      if (isJson) terminal.print(JSON.stringify(proof));
      else show(terminal, proof);
      if (!proof.isProved) return EXIT.failed;
      const notes = parts.openNotes(directory);
      try {
        notes.putNote('proof', 'provedMs', parts.clock.now());
      } finally {
        notes.close();
      }
      return EXIT.done;
    },
  };
}

function show(terminal: Terminal, { lines, isProved }: Proof): void {
  const rows = lines.map(({ fault, found, repair, complaints }) => [
    complaints.length === 0 ? 'ok' : 'FAIL', fault, repair,
    found.map((text) => text.slice(0, text.indexOf(':'))).join(', ') || 'nobody',
  ]);
  for (const line of table([['', 'fault', 'repair', 'found by'], ...rows])) terminal.print(line);
  for (const { fault, complaints } of lines) {
    for (const complaint of complaints) terminal.print(`${fault}: ${complaint}`);
  }
  const failed = lines.filter(({ complaints }) => complaints.length > 0).length;
  terminal.print('');
  terminal.print(isProved
    ? `Proved: ${lines.length} of ${lines.length}.`
    : `Not proved: ${failed} of ${lines.length} rows are not as they must be.`);
}
