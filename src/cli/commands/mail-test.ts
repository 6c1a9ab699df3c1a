import { HoldfastError } from '../../base/errors.ts';
import { loadConfig } from '../../platform/index.ts';
import type { Config, Slice } from '../../platform/index.ts';
import { EXIT } from '../command.ts';
import type { Command } from '../command.ts';
import { configRequest } from '../config-flags.ts';

export interface MailParts {
  readonly slices: readonly Slice[];
  /** Sends one mail at once. `onReply` is told what the mail server says when it refuses.
   *  @throws HoldfastError: says in plain words what is wrong. */
  readonly sendTest: (
    config: Config, address: string, options: { onReply: (reply: string) => void },
  ) => Promise<void>;
}

/** Goes by the settings, and leaves a running server alone. */
export function mailTest({ slices, sendTest }: MailParts): Command {
  return {
    name: 'mail test',
    summary: 'Send a test mail, and say what is wrong if it does not leave',
    args: [{ name: '<address>', docs: 'who gets it' }],
    flags: [
      { flags: '--data <dir>', docs: 'the data directory (./data); a server may run on it' },
      { flags: '--config <file>', docs: 'settings, in TOML, with the section [mail]' },
    ],
    exits: {
      0: 'the mail server has taken it', 1: 'it was not sent, with the reason on screen',
      2: 'wrong usage',
    },
    async run(terminal, input) {
      const [address = ''] = input.args;
      const config = await loadConfig(configRequest(input, slices));
      const replies: string[] = [];
      try {
        await sendTest(config, address, { onReply: (reply) => replies.push(reply) });
      } catch (error) {
        if (!(error instanceof HoldfastError)) throw error;
        terminal.complain(error.message);
        for (const reply of replies) terminal.complain(`The mail server said: ${reply}`);
        return error.kind === 'invalid' ? EXIT.usage : EXIT.failed;
      }
      terminal.print('The mail server has taken the mail. If it does not arrive, look into the '
        + 'spam folder, and ask whoever runs the mail server.');
      return EXIT.done;
    },
  };
}
