/** What passes between the writer's thread and the line that speaks to the server for it. */
import type { MessagePort } from 'node:worker_threads';
import type {
  Answer, ServerAddress, ServerFault, SqlValue,
} from '../../../../platform/mariadb/index.ts';

export interface Step {
  text: string;
  values: SqlValue[];
}

/** The number of a question is that of its answer. */
export type ToLine = { id: number } & (
  /** Runs the steps one after the other; `isFirst`: a connection may be made for them. */
  | { kind: 'run'; steps: Step[]; isFirst: boolean }
  /** Runs the steps, then commits. */
  | { kind: 'commit'; steps: Step[] }
  | { kind: 'rollback' }
  | { kind: 'close' });

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

