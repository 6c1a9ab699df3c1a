/** The terminal as it really is. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { HoldfastError } from '../base/errors.ts';
import type { Terminal } from './command.ts';

const INPUT_BYTES_MAX = 1024 * 1024;

export interface TerminalStreams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** Whoever reads what we print may have seen enough: `holdfast disk list | head -3`. */
function ignoreClosed(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

export function openTerminal(streams: TerminalStreams = process): Terminal {
  const { stdin, stdout, stderr } = streams;
  for (const stream of [stdout, stderr]) stream.on('error', ignoreClosed);
  return {
    print: (line) => void stdout.write(`${line}\n`),
    complain: (line) => void stderr.write(`${line}\n`),
    async readInput() {
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      for await (const chunk of stdin) {
        const bytes = Buffer.from(chunk as Buffer | string);
        sizeBytes += bytes.length;
        if (sizeBytes > INPUT_BYTES_MAX) {
          throw new HoldfastError('too-large', 'cli/readInput', 'The input is over 1 MiB.');
        }
        chunks.push(bytes);
      }
      return Buffer.concat(chunks).toString('utf8');
    },
    async askSecret(question) {
      if (!stdin.isTTY) return undefined;
      stderr.write(question);
      const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
      const reader = createInterface({ input: stdin, output: nowhere, terminal: true });
      try {
        return await reader.question('');
      } finally {
        reader.close();
        stderr.write('\n');
      }
    },
  };
}
