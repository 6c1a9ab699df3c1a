/** What travels beside a request while fastify has it: fastify knows Node's request alone. */
import type { IncomingMessage } from 'node:http';
import type { Exchange } from '../../platform/index.ts';
import type { OnceRequest } from './idempotency/once.ts';
import type { RestAnswer } from './operation.ts';
import type { Asking } from './rest-parts.ts';

export interface RestContext {
  readonly exchange: Exchange;
  /** undefined until who asks is known, and for operations that are open to everybody. */
  asking: Asking | undefined;
  /** Does what is asked, unless it was done before under the same key. */
  idempotent<B>(
    given: Omit<OnceRequest, 'req' | 'user'>, act: () => Promise<RestAnswer<B>>,
  ): Promise<RestAnswer<B>>;
  /** Runs what answers by itself; its failure ends the answer. */
  answersItself(act: () => Promise<void>): Promise<void>;
}

const CONTEXTS = new WeakMap<IncomingMessage, RestContext>();

export function keepContext(req: IncomingMessage, context: RestContext): void {
  CONTEXTS.set(req, context);
}

export function contextOf(req: IncomingMessage): RestContext {
  const context = CONTEXTS.get(req);
  if (context === undefined) throw new Error('A request came by another way than the route.');
  return context;
}
