/**
 * Makes a failing tape shorter: steps are taken away as long as it fails, many at a time first;
 * then what is left is made plainer. Whatever fails counts, not only what failed first: one bug has
 * many faces, and a shorter tape of any of them is what a person wants to see.
 */
import type { PlantedFaults } from './life.ts';
import { play } from './play.ts';
import type { Step, Tape } from './tape.ts';

export interface Shrunk {
  readonly tape: Tape;
  readonly error: unknown;
  /** How many tapes were tried. */
  readonly plays: number;
}

const PLAYS_MAX = 600;

class Shrinker {
  readonly #faults: PlantedFaults;
  tape: Tape;
  error: unknown;
  plays = 0;

  constructor(tape: Tape, faults: PlantedFaults) {
    this.tape = tape;
    this.#faults = faults;
  }

  /** Keeps the steps if they fail too. */
  async try(steps: readonly Step[]): Promise<boolean> {
    if (this.plays >= PLAYS_MAX) return false;
    this.plays++;
    const tape = { setup: this.tape.setup, steps };
    const { failure } = await play(tape, this.#faults);
    if (failure === undefined) return false;
    this.error = failure.error;
    this.tape = { ...tape, steps: steps.slice(0, failure.steps) };
    return true;
  }

  async dropSteps(): Promise<void> {
    for (let size = Math.ceil(this.tape.steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
      for (let at = 0; at < this.tape.steps.length;) {
        const { steps } = this.tape;
        const isGone = await this.try([...steps.slice(0, at), ...steps.slice(at + size)]);
        if (!isGone) at += size;
      }
    }
  }

  async simplify(): Promise<void> {
    for (let at = 0; at < this.tape.steps.length; at++) {
      const before = this.tape.steps[at];
      for (const plainer of before === undefined ? [] : plainerThan(before)) {
        const { steps } = this.tape;
        await this.try([...steps.slice(0, at), plainer, ...steps.slice(at + 1)]);
      }
    }
  }
}

/** From the plainest on. */
function plainerThan(step: Step): Step[] {
  const plainer: Step[] = [];
  if (step.do === 'upload') {
    plainer.push({ ...step, blocks: step.blocks.slice(0, 1), dawdle: 0 });
  }
  if (step.do === 'restart' && step.again.length > 0) plainer.push({ ...step, again: [] });
  if (step.do === 'trouble') plainer.push({ ...step, share: 1 });
  if (step.pause !== -1) plainer.push({ ...step, pause: -1 });
  return plainer;
}

/** @throws when the tape does not fail. */
export async function shrink(tape: Tape, faults: PlantedFaults = {}): Promise<Shrunk> {
  const shrinker = new Shrinker(tape, faults);
  if (!(await shrinker.try(tape.steps))) throw new Error('this tape does not fail');
  for (let before = -1; before !== shrinker.tape.steps.length;) {
    before = shrinker.tape.steps.length;
    await shrinker.dropSteps();
    await shrinker.simplify();
  }
  const { error, plays } = shrinker;
  return { tape: shrinker.tape, error, plays };
}
