/**
 * The writer's end of the line. The changes of the tree are checked and written by code that asks
 * and goes on with the answer, as it does on SQLite; here every question crosses a network. So the
 * writer's thread lays a question in a port and sleeps until the other thread has answered it.
 */
import { currentRequest } from '../../../../platform/index.ts';
import { MessageChannel, Worker, receiveMessageOnPort } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import {
  CONNECT_TIMEOUT_MS, ServerError, STATEMENT_TIMEOUT_MS, statements,
} from '../../../../platform/mariadb/index.ts';
import type {
  Answer, RegisteredStatement, ServerAddress, ServerFault,
} from '../../../../platform/mariadb/index.ts';
import type { Asked, FromLine, LineStart, NumberedStep, Step, ToLine } from './line-messages.ts';

/** A line that is silent for longer has died; each of its statements has a limit of its own. */
const SILENCE_MAX_MS = 2 * (CONNECT_TIMEOUT_MS + STATEMENT_TIMEOUT_MS);

const GONE: ServerFault = {
  code: 'ELINEGONE', errno: 0, message: 'the line to the server has died', isLost: true,
};

/** The commit itself failed. */
export class CommitError extends ServerError {}

export class LineClient {
  readonly #port: MessagePort;
  readonly #worker: Worker;
  readonly #bell = new SharedArrayBuffer(4);
  readonly #bellView = new Int32Array(this.#bell);
  #questionCount = 0;
  #lastId = 0;
  /** By text the numbers of the statements that the line has been told of. */
  readonly #numbers = new Map<string, number>();
  #told: RegisteredStatement[] = [];

  constructor(address: ServerAddress) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const workerData: LineStart = { address, port: port2, bell: this.#bell };
    this.#worker = new Worker(new URL('./line-thread.ts', import.meta.url), {
      workerData, transferList: [port2],
    });
    this.#worker.unref();
  }

  /** How often the server was asked, over all connections. */
  get questionCount(): number {
    return this.#questionCount;
  }

  /** @throws ServerError; SqlRefusal: a step is no registered statement. */
  run(steps: readonly Step[], isFirst = false): Answer[] {
    if (steps.length === 0) return [];
    return this.#ask({ kind: 'run', steps: steps.map(this.#numbered), isFirst });
  }

  /** @throws CommitError: the commit itself failed; ServerError: a step did. */
  commit(steps: readonly Step[]): void {
    this.#ask({ kind: 'commit', steps: steps.map(this.#numbered) });
  }

  /** @throws ServerError. */
  rollback(): void {
    this.#ask({ kind: 'rollback' });
  }

  close(): void {
    try {
      this.#ask({ kind: 'close' });
    } catch (error) {
      if (!(error instanceof ServerError)) throw error; // A broken connection is closed already.
    }
    this.#port.close();
  }

  /** What is not registered is refused here: then nothing of its transaction is sent either. */
  readonly #numbered = ({ text, values }: Step): NumberedStep => {
    const known = this.#numbers.get(text);
    if (known !== undefined) return { statement: known, values };
    const number = this.#numbers.size;
    this.#told.push(statements.get(text));
    this.#numbers.set(text, number);
    return { statement: number, values };
  };

  #ask(asked: Asked): Answer[] {
    this.#lastId += 1;
    const message: ToLine = {
      id: this.#lastId, told: this.#told, request: currentRequest(), ...asked,
    };
    this.#told = [];
    this.#port.postMessage(message);
    const reply = this.#hear(message);
    if (reply.kind === 'failed') {
      const { fault, isCommitting } = reply;
      throw isCommitting ? new CommitError(fault) : new ServerError(fault);
    }
    this.#questionCount = reply.questionCount;
    return reply.answers;
  }

  /** Sleeps until the answer is there. One to an earlier question, which was given up, is passed
   *  over. The bell is looked at before the port, so that no ring is missed between the two. */
  #hear({ id, kind }: ToLine): FromLine {
    for (;;) {
      const rung = Atomics.load(this.#bellView, 0);
      const received = receiveMessageOnPort(this.#port) as { message: FromLine } | undefined;
      if (received?.message.id === id) return received.message;
      if (received !== undefined) continue;
      const heard = Atomics.wait(this.#bellView, 0, rung, SILENCE_MAX_MS);
      if (heard !== 'timed-out') continue;
      throw kind === 'commit' ? new CommitError(GONE) : new ServerError(GONE);
    }
  }
}
