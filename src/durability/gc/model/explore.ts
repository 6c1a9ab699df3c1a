/**
 * Explicit-state model checking, small enough to read: breadth first over every state that can be
 * reached, so the way to a broken invariant that it shows is a shortest one.
 */
export interface Model<S> {
  readonly initial: S;
  /** Everything that may happen next, by name. */
  steps(state: S): Iterable<readonly [name: string, next: S]>;
  /** What is wrong with a state; undefined when it is right. */
  broken(state: S): string | undefined;
  /** States from which the goal must stay within reach, whatever happened before. */
  isGoal(state: S): boolean;
  /** Two states with one key are the same. */
  key(state: S): string;
}

export interface Exploration {
  stateCount: number;
  stepCount: number;
  /** How far the furthest state is from the first. */
  depth: number;
  counterExample: { broken: string; steps: string[] } | undefined;
  /** Names of the steps that were taken at all. */
  stepsSeen: ReadonlySet<string>;
  /** States from which no way leads to the goal; only counted when nothing is broken. */
  stuckCount: number;
}

interface Seen<S> {
  state: S;
  from: number;
  step: string;
  depth: number;
}

/** Stops at the first broken state. @throws RangeError: more than `statesMax` states. */
export function explore<S>(model: Model<S>, statesMax = 2_000_000): Exploration {
  const seen: Seen<S>[] = [{ state: model.initial, from: -1, step: '', depth: 0 }];
  const numbers = new Map([[model.key(model.initial), 0]]);
  const before: number[][] = [[]];
  const stepsSeen = new Set<string>();
  let stepCount = 0;
  for (let at = 0; at < seen.length; at++) {
    const { state, depth } = seen[at] as Seen<S>;
    const broken = model.broken(state);
    if (broken !== undefined) {
      const counterExample = { broken, steps: wayTo(seen, at) };
      const stateCount = seen.length;
      return { stateCount, stepCount, depth, counterExample, stepsSeen, stuckCount: 0 };
    }
    for (const [step, next] of model.steps(state)) {
      stepCount += 1;
      stepsSeen.add(step);
      const key = model.key(next);
      let number = numbers.get(key);
      if (number === undefined) {
        number = seen.length;
        if (number >= statesMax) throw new RangeError(`more than ${statesMax} states`);
        numbers.set(key, number);
        seen.push({ state: next, from: at, step, depth: depth + 1 });
        before.push([]);
      }
      before[number]?.push(at);
    }
  }
  const depth = seen.at(-1)?.depth ?? 0;
  const stuckCount = countStuck(model, seen, before);
  const stateCount = seen.length;
  return { stateCount, stepCount, depth, counterExample: undefined, stepsSeen, stuckCount };
}

function wayTo<S>(seen: readonly Seen<S>[], end: number): string[] {
  const steps: string[] = [];
  for (let at = end; at > 0; at = (seen[at] as Seen<S>).from) {
    steps.push((seen[at] as Seen<S>).step);
  }
  return steps.reverse();
}

/** Walks backwards from the goal; what is not met cannot reach it. */
function countStuck<S>(
  model: Model<S>, seen: readonly Seen<S>[], before: readonly number[][],
): number {
  const reaches = new Uint8Array(seen.length);
  const queue: number[] = [];
  seen.forEach(({ state }, number) => {
    if (!model.isGoal(state)) return;
    reaches[number] = 1;
    queue.push(number);
  });
  for (let at = 0; at < queue.length; at++) {
    for (const number of before[queue[at] as number] ?? []) {
      if (reaches[number] === 1) continue;
      reaches[number] = 1;
      queue.push(number);
    }
  }
  return seen.length - queue.length;
}
