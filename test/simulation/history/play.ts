/** Plays one tape from its beginning to its end. */
import { act, comeUp } from './deeds.ts';
import { rest } from './heal.ts';
import type { PlantedFaults } from './life.ts';
import type { Tape } from './tape.ts';
import { World } from './world.ts';

export interface Outcome {
  /** Two runs of the same tape have the same one. */
  readonly trace: string;
  readonly seen: ReadonlySet<string>;
  readonly calls: number;
  /** What went wrong, and after how many steps. */
  readonly failure: { readonly error: unknown; readonly steps: number } | undefined;
}

export async function play(tape: Tape, faults: PlantedFaults = {}): Promise<Outcome> {
  const world = new World(tape.setup, faults);
  const uninstall = faults.install?.();
  let steps = 0;
  let failure: Outcome['failure'];
  try {
    await world.open();
    for (const step of tape.steps) {
      steps++;
      await act(world, step);
      await world.pause(step);
      world.check();
    }
    await comeUp(world);
    await rest(world);
    world.check();
  } catch (error) {
    failure = { error, steps };
  } finally {
    uninstall?.();
  }
  const { machine, seen } = world;
  const trace = machine.traceHash();
  world.close();
  return { trace, seen, calls: machine.calls, failure };
}
