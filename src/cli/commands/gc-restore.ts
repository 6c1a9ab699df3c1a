import { EXIT } from '../command.ts';
import type { Command } from '../command.ts';
import { GC_EXITS, GC_FLAGS, withCollector } from '../gc-command.ts';
import type { GcParts } from '../gc-command.ts';

export function gcRestore(parts: GcParts): Command {
  return {
    name: 'gc restore',
    summary: 'Take a volume back from the trash, while no server runs',
    args: [{ name: '<volume>', docs: 'its number, as "gc status" shows it' }],
    flags: [
      ...GC_FLAGS, { flags: '--mirror', docs: 'from the trash of the mirror, the second place' },
    ],
    exits: GC_EXITS,
    async run(terminal, input) {
      const [text = ''] = input.args;
      const volumeId = /^[0-9]{1,15}$/.test(text) ? Number(text) : 0;
      if (volumeId === 0) {
        terminal.complain('A volume is named by its number.');
        return EXIT.usage;
      }
      return withCollector(parts, input, async (collector, { mirror }) => {
        if (input.flags['mirror'] === true && mirror === undefined) {
          terminal.complain('There is no mirror: storage.mirror.backend is off.');
          return EXIT.refused;
        }
        await (input.flags['mirror'] === true ? mirror : collector)?.restore(volumeId);
        terminal.print(`volume ${volumeId} is back; what nothing needs is collected anew`);
        return EXIT.done;
      });
    },
  };
}
