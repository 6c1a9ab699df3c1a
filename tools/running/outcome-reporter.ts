/** A reporter for node:test: one JSON object a line for every single test, for `test-file.ts`. */

/** What the runner tells; only what is used here. */
interface RunnerEvent {
  readonly type: string;
  readonly data: {
    readonly name?: string;
    readonly skip?: string | boolean;
    readonly todo?: string | boolean;
    readonly details?: { readonly type?: string };
  };
}

export type TestOutcome = 'passed' | 'failed' | 'skipped';

export interface OutcomeLine {
  readonly outcome: TestOutcome;
  readonly name: string;
}

function outcomeOf({ type, data }: RunnerEvent): TestOutcome | undefined {
  // A suite fails with its tests; one that fails by itself, in a hook say, fails them as well.
  if (data.details?.type === 'suite') return undefined;
  const isPassedOver = (data.skip ?? false) !== false || (data.todo ?? false) !== false;
  if (type === 'test:fail') return 'failed';
  if (type !== 'test:pass') return undefined;
  return isPassedOver ? 'skipped' : 'passed';
}

/** The runner imports reporters by their default export. */
async function* report(events: AsyncIterable<RunnerEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    const outcome = outcomeOf(event);
    if (outcome === undefined) continue;
    const line: OutcomeLine = { outcome, name: event.data.name ?? '' };
    yield `${JSON.stringify(line)}\n`;
  }
}

export { report as default };
