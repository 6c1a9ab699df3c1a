import { join } from 'node:path';
import { proveVerifiers, table } from '../../durability/index.ts';
import type { CanaryMetadata, Proof } from '../../durability/index.ts';
import type { ProcessEvents } from '../../platform/index.ts';
import { EXIT } from '../command.ts';
import type { Command, Terminal } from '../command.ts';
import { verifiedData, VERIFY_FLAGS } from '../verify-command.ts';
import type { VerifyParts } from '../verify-command.ts';

/** Within the data directory, so that it lies on the same disk; made and removed by each proof. */
const CANARY = 'verify-canary';
const STOPS = ['SIGINT', 'SIGTERM'] as const;

export function verifyProve(parts: VerifyParts): Command {
  return {
    name: 'verify prove',
    summary: 'Plant faults of every kind in a canary and see that each is found and repaired',
    flags: [
      ...VERIFY_FLAGS,
      {
        flags: '--on-files',
        docs: 'plant on metadata in files alone, also where there is MariaDB; not noted as a proof',
      },
    ],
    details: `
The faults are planted in a small store of its own, which is removed again: also by the next proof,
when this one is killed. Nothing else of the data directory is read or changed, and a server may run
meanwhile. Where metadata is on MariaDB, the store has databases of its own there, once on each
server with metadata, named holdfast_canary_…; docs/mariadb-users.md says which right that takes.`,
    exits: {
      0: 'every fault was found by those who must find it, and nothing else was reported',
      1: 'not proved, or stopped; the table shows what is wrong', 2: 'wrong usage', 3: 'refused',
    },
    async run(terminal, input) {
      const { directory, home, config } = await verifiedData(parts, input);
      const onFiles = input.flags['on-files'] === true;
      const { findMetadata, ...backends } = parts.canaries;
      const places = await findMetadata(directory, { config, onFiles });
      const { signal, forget } = stopSignal(parts.events);
      const proofs: Proof[] = [];
      try {
        await checkAllowed(places);
        for (const metadata of places) {
          proofs.push(await proveVerifiers({
            directory: join(home, CANARY), backends: { ...backends, metadata }, signal,
          }));
        }
      } catch (error) {
        if (!(signal.aborted && error === signal.reason)) throw error;
        terminal.complain('Stopped. Nothing that was planted is left, and nothing is proved.');
        return EXIT.failed;
      } finally {
        forget();
      }
      const proof = {
        lines: proofs.flatMap(({ lines }) => lines),
        isProved: proofs.every(({ isProved }) => isProved),
      };
      if (input.flags['json'] === true) terminal.print(JSON.stringify(proof));
      else show(terminal, proof);
      if (!proof.isProved) return EXIT.failed;
      if (onFiles) terminal.complain('This was on files alone, and is not noted as a proof.');
      else noteProof(parts, home);
      return EXIT.done;
    },
  };
}

/** Whoever lacks a right on the last server hears of it before minutes have passed. */
async function checkAllowed(places: readonly CanaryMetadata[]): Promise<void> {
  for (const place of places) {
    try {
      await place.begin();
    } finally {
      await place.end();
    }
  }
}

function noteProof(parts: VerifyParts, home: string): void {
  const notes = parts.openNotes(home);
  try {
    notes.putNote('proof', 'provedMs', parts.clock.now());
  } finally {
    notes.close();
  }
}

/** What was planted is removed before the process ends: that takes some seconds at most, and a
 *  second signal changes nothing. Ctrl-C comes twice through whatever launched the program. */
function stopSignal(events: ProcessEvents): { signal: AbortSignal; forget: () => void } {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  for (const name of STOPS) events.on(name, stop);
  return {
    signal: stopping.signal,
    forget: () => {
      for (const name of STOPS) events.off(name, stop);
    },
  };
}

function show(terminal: Terminal, { lines, isProved }: Proof): void {
  const rows = lines.map(({ metadata, fault, found, repair, complaints }) => [
    complaints.length === 0 ? 'ok' : 'FAIL', metadata, fault, repair,
    found.map((text) => text.slice(0, text.indexOf(':'))).join(', ') || 'nobody',
  ]);
  const header = ['', 'metadata', 'fault', 'repair', 'found by'];
  for (const line of table([header, ...rows])) terminal.print(line);
  for (const { metadata, fault, complaints } of lines) {
    for (const complaint of complaints) terminal.print(`${metadata}: ${fault}: ${complaint}`);
  }
  const failed = lines.filter(({ complaints }) => complaints.length > 0).length;
  terminal.print('');
  terminal.print(isProved
    ? `Proved: ${lines.length} of ${lines.length}.`
    : `Not proved: ${failed} of ${lines.length} rows are not as they must be.`);
}
