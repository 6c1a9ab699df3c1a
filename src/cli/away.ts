/** What a list says of tenants whose database cannot be reached. */
import { EXIT } from './command.ts';
import type { Terminal } from './command.ts';

/** Answers the exit code: a list that is not whole is none that a script may rely upon. */
export function complainOfAway(terminal: Terminal, away: readonly string[]): number {
  for (const tenant of away) {
    terminal.complain(`tenant ${tenant}: UNREACHABLE; its database cannot be used at the moment, `
      + 'and nothing is known of its spaces. See: holdfast shard check');
  }
  return away.length === 0 ? EXIT.done : EXIT.failed;
}
