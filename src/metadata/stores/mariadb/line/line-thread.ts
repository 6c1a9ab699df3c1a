/**
 * The thread that speaks to the server for a writer, which waits meanwhile. It has at most one
 * connection, and makes another one only where a transaction begins: what is left of one that broke
 * is never taken for whole.
 */
import { workerData } from 'node:worker_threads';
import { assert } from '../../../../base/assert.ts';
import { markThread } from '../../../../platform/index.ts';
import { serverFault, Session, statements } from '../../../../platform/mariadb/index.ts';
import type { Answer } from '../../../../platform/mariadb/index.ts';
import type { FromLine, LineStart, NumberedStep, ToLine } from './line-messages.ts';

const { address, port, bell } = workerData as LineStart;
const bellView = new Int32Array(bell);
let session: Session | undefined;
let pastQuestions = 0;

function answer(message: FromLine): void {
  port.postMessage(message);
  Atomics.add(bellView, 0, 1);
  Atomics.notify(bellView, 0);
}

function dropSession(): void {
  pastQuestions += session?.questionCount ?? 0;
  session?.destroy();
  session = undefined;
}

/** By number the texts of all statements that the writer has told of. */
const texts: string[] = [];

function textOf(number: number): string {
  const text = texts[number];
  assert(text !== undefined, 'the line knows the statements that it is asked for');
  return text;
}

function learn({ told, request }: ToLine): void {
  for (const statement of told) {
    statements.adopt(statement);
    texts.push(statement.text);
  }
  markThread(request);
}

async function run(steps: readonly NumberedStep[], isFirst: boolean): Promise<Answer[]> {
  if (isFirst && session?.isCurrent === false) dropSession();
  if (session === undefined && isFirst) session = await Session.open(address, 'write');
  if (session === undefined) {
    throw Object.assign(new Error('the connection was lost'), { code: 'ECONNRESET' });
  }
  return session.executeAll(steps.map(({ statement, values }) =>
    ({ text: textOf(statement), values })));
}

function failed(id: number, error: unknown, isCommitting: boolean): FromLine {
  const fault = serverFault(error) ?? {
    code: 'EUNKNOWN', errno: 0, message: String(error), isLost: true,
  };
  if (fault.isLost) dropSession();
  return { id, kind: 'failed', fault, isCommitting };
}

async function serve(message: ToLine): Promise<FromLine> {
  const { id } = message;
  let isCommitting = false;
  try {
    let answers: Answer[] = [];
    if (message.kind === 'run') answers = await run(message.steps, message.isFirst);
    if (message.kind === 'commit') {
      answers = await run(message.steps, false);
      isCommitting = true;
      await session?.run('COMMIT');
    }
    if (message.kind === 'rollback') await session?.run('ROLLBACK');
    if (message.kind === 'close') await session?.end();
    const questionCount = pastQuestions + (session?.questionCount ?? 0);
    return { id, kind: 'done', answers, questionCount };
  } catch (error) {
    return failed(id, error, isCommitting);
  }
}

/** One question after the other, also when the writer has given one up. */
let served = Promise.resolve();
port.on('message', (message: ToLine) => {
  served = served.then(async () => {
    learn(message);
    answer(await serve(message));
    if (message.kind === 'close') port.close();
  });
});
