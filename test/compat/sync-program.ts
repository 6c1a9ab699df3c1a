/** The two command-line sync clients, and how each is told what to do. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunningCommand } from '../support/command.ts';
import type { Outcome } from '../support/command.ts';
import type { Credentials } from '../support/dav-client.ts';
import type { Program } from '../support/programs.ts';
import { scratchFolder } from '../support/scratch.ts';

export interface SyncProgram {
  readonly program: Extract<Program, 'nextcloudcmd' | 'owncloudcmd'>;
  /** A name that only this client uploads. */
  readonly oddNames: readonly string[];
  arguments(home: string): string[];
}

export const nextcloudcmd: SyncProgram = {
  program: 'nextcloudcmd',
  oddNames: ['really?.txt'],
  arguments: () => ['--non-interactive', '-h', '--max-sync-retries', '3'],
};

const EXCLUDED = ['# exclude', ']*.~*', '].sync_*.db*', ']._sync_*.db*', '].csync_journal.db*', ''];

export const owncloudcmd: SyncProgram = {
  program: 'owncloudcmd',
  oddNames: [' leading blank.txt'],
  arguments(home) {
    // Without an exclude list it dies of SIGABRT after its first requests.
    const list = join(home, 'exclude.lst');
    writeFileSync(list, EXCLUDED.join('\n'));
    return ['--non-interactive', '--exclude', list, '-h', '--max-sync-retries', '3'];
  },
};

/** One device: a local folder and the journal that the client keeps in it. */
export class Replica {
  readonly folder: string;
  readonly #home: string;
  readonly #program: SyncProgram;
  readonly #credentials: Credentials;
  readonly #url: () => string;

  constructor(
    label: string, program: SyncProgram, credentials: Credentials, url: () => string,
  ) {
    const base = scratchFolder(label);
    this.folder = join(base, 'files');
    this.#home = join(base, 'home');
    mkdirSync(this.folder);
    mkdirSync(this.#home);
    this.#program = program;
    this.#credentials = credentials;
    this.#url = url;
  }

  startSync(): RunningCommand {
    const { name, password } = this.#credentials;
    const args = [
      ...this.#program.arguments(this.#home), '-u', name, '-p', password, this.folder, this.#url(),
    ];
    return new RunningCommand(this.#program.program, args, {
      env: { HOME: this.#home, XDG_CONFIG_HOME: this.#home, QT_LOGGING_RULES: '*.debug=false' },
    });
  }

  /** Syncs once; the exit code is for the caller to judge. */
  async sync(timeoutMs = 120_000): Promise<Outcome & { tail: string }> {
    const command = this.startSync();
    const outcome = await command.end(timeoutMs);
    return { ...outcome, tail: command.tail() };
  }
}
