/** What passes between the writer's thread and the line that speaks to the server for it. */
import type { MessagePort } from 'node:worker_threads';
import type {
  Answer, RegisteredStatement, ServerAddress, ServerFault, SqlValue,
} from '../../../../platform/mariadb/index.ts';

/** A registered statement, and its values. */
export interface Step {
  text: string;
  values: SqlValue[];
}

/** As it crosses to the other thread: the statement by its number, see ToLine. */
export interface NumberedStep {
  statement: number;
  values: SqlValue[];
}

/** The number of a question is that of its answer. */
export type ToLine = {
  id: number;
  /** Statements that the line has not been told of. They are numbered as they come, from 0. */
  told: RegisteredStatement[];
  /** For whom, see src/platform/sql/request-mark.ts. */
  request: string | undefined;
} & Asked;

export type Asked =
  /** Runs the steps one after the other; `isFirst`: a connection may be made for them. */
  | { kind: 'run'; steps: NumberedStep[]; isFirst: boolean }
  /** Runs the steps, then commits. */
  | { kind: 'commit'; steps: NumberedStep[] }
  | { kind: 'rollback' }
  | { kind: 'close' };

export type FromLine = { id: number } & (
  | { kind: 'done'; answers: Answer[]; questionCount: number }
  /** `isCommitting`: it was the commit itself that failed. */
  | { kind: 'failed'; fault: ServerFault; isCommitting: boolean });

export interface LineStart {
  address: ServerAddress;
  port: MessagePort;
  /** One number; raised when an answer lies in the port. */
  bell: SharedArrayBuffer;
}

