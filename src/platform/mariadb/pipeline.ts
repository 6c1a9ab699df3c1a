/**
 * Several statements on their way at once. The driver sends a statement when the one before was
 * answered; the server takes one after the other from the connection, and does not mind if they
 * are there already. So they are written in one go, and their answers are read in the same order:
 * one round trip, however many they are.
 *
 * The driver's own commands are used, one for each statement, behind one of ours that the driver
 * takes for a single one. That rests on how the driver goes about its commands (`execute` is called
 * to begin, then with each packet, and says when it is done; packets of an answer are numbered from
 * 1), which is no part of its promises: so its version is fixed, and pipeline-with-server.test.ts
 * has to pass with any other.
 */
import type { SqlValue } from './named-sql.ts';

export interface PipelineStep {
  text: string;
  values: readonly SqlValue[];
}

type Callback = (error: Error | null, answer?: unknown) => void;

/** What the driver does one after the other. */
interface Command {
  /** Without a packet: begins. Answers whether it is done. */
  execute(packet: unknown, connection: DriverConnection): boolean;
  onResult: Callback;
}

export interface DriverStatement {
  sql: string;
  values: unknown[];
}

/** Of the driver's connection, what is used here. */
export interface DriverConnection {
  addCommand(command: Command): void;
  execute(
    statement: DriverStatement, callback: Callback,
  ): unknown;
  sequenceId: number;
  readonly stream: { cork(): void; uncork(): void };
}

const FIRST_OF_ANSWER = 1;

class Pipeline implements Command {
  /** For what was not used on this connection before: each is waited for. */
  readonly #preparing: Command[] = [];
  readonly #executing: Command[] = [];
  #isWritten = false;

  constructor(commands: readonly Command[]) {
    for (const [at, command] of commands.entries()) {
      (at % 2 === 0 ? this.#preparing : this.#executing).push(command);
    }
  }

  readonly onResult: Callback = (error) => {
    // The connection is lost, and with it all that was under way.
    for (const command of [...this.#preparing, ...this.#executing]) command.onResult(error);
  };

  execute(packet: unknown, connection: DriverConnection): boolean {
    if (packet === undefined) return this.#goOn(connection);
    const commands = this.#isWritten ? this.#executing : this.#preparing;
    if (commands[0]?.execute(packet, connection) === false) return false;
    commands.shift();
    connection.sequenceId = FIRST_OF_ANSWER;
    return this.#goOn(connection);
  }

  #goOn(connection: DriverConnection): boolean {
    for (let next = this.#preparing[0]; next !== undefined; next = this.#preparing[0]) {
      if (!next.execute(undefined, connection)) return false;
      this.#preparing.shift();
    }
    if (!this.#isWritten) this.#write(connection);
    return this.#executing.length === 0;
  }

  #write(connection: DriverConnection): void {
    this.#isWritten = true;
    connection.stream.cork();
    try {
      // Those that could not even be written are done; no answer comes to them.
      const isUnderWay = this.#executing.splice(0).filter((command) =>
        !command.execute(undefined, connection));
      this.#executing.push(...isUnderWay);
    } finally {
      connection.stream.uncork();
    }
    connection.sequenceId = FIRST_OF_ANSWER;
  }
}

export interface PipelineOutcome {
  settled: PromiseSettledResult<unknown>;
  /** Since the answer before it. */
  tookMs: number;
}

/** Runs the statements in their order; one that fails does not stop those behind it. Tells how each
 *  went, once there is nothing more to come. */
export async function runPipeline(
  connection: DriverConnection, steps: readonly DriverStatement[],
): Promise<PipelineOutcome[]> {
  let lastMs = performance.now();
  let missing = steps.length;
  const outcomes: PipelineOutcome[] = [];
  const work = Promise.withResolvers<PipelineOutcome[]>();
  const commands = gathered(connection, () => {
    for (const [at, step] of steps.entries()) {
      connection.execute(step, (error, value) => {
        if (outcomes[at] !== undefined) return; // What breaks the connection is told twice.
        const nowMs = performance.now();
        outcomes[at] = {
          settled: error === null ? { status: 'fulfilled', value }
            : { status: 'rejected', reason: error },
          tookMs: nowMs - lastMs,
        };
        lastMs = nowMs;
        missing -= 1;
        if (missing === 0) work.resolve(outcomes);
      });
    }
  });
  connection.addCommand(new Pipeline(commands));
  return work.promise;
}

/** What `act` gives the driver to do; it is not begun. */
function gathered(connection: DriverConnection, act: () => void): Command[] {
  const commands: Command[] = [];
  const own = Object.getOwnPropertyDescriptor(connection, 'addCommand');
  Object.defineProperty(connection, 'addCommand', {
    configurable: true, value: (command: Command) => commands.push(command),
  });
  try {
    act();
  } finally {
    if (own === undefined) Reflect.deleteProperty(connection, 'addCommand');
    else Object.defineProperty(connection, 'addCommand', own);
  }
  return commands;
}
