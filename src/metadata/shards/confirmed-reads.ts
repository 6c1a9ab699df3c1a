/** What is read piece by piece from one shard, each piece of which has to count. */
import { HoldfastError } from '../../base/errors.ts';
import type { NodeId, SpaceId } from '../../base/ids.ts';
import type { Name } from '../../base/names.ts';
import type { GrantRecord } from '../access-records.ts';
import type { PastListOptions, PastNode, PastSpace } from '../past.ts';
import type { Instant } from '../records.ts';

/** @throws unavailable: nobody knows whether what was answered until now counts. */
export type Confirm = () => Promise<void>;

export function isAbsence(error: unknown): boolean {
  return error instanceof HoldfastError && error.kind === 'not-found';
}

export async function confirmedAnswer<T>(asked: Promise<T>, confirm: Confirm): Promise<T> {
  let answer: T;
  try {
    answer = await asked;
  } catch (error) {
    if (isAbsence(error)) await confirm();
    throw error;
  }
  await confirm();
  return answer;
}

/** Each page of a list counts, and that there are no more. */
export async function* confirmed<T>(
  pages: AsyncIterable<T>, confirm: Confirm,
): AsyncIterable<T> {
  const from = pages[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await confirmedAnswer(from.next(), confirm);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await from.return?.();
  }
}

/** The past of a space, for as long as it is where it was. */
export class ConfirmedPast implements PastSpace {
  readonly spaceId: SpaceId;
  readonly rootId: NodeId;
  readonly rev: number;
  readonly at: Instant;
  readonly #past: PastSpace;
  readonly #confirm: Confirm;

  constructor(past: PastSpace, confirm: Confirm) {
    ({ spaceId: this.spaceId, rootId: this.rootId, rev: this.rev, at: this.at } = past);
    this.#past = past;
    this.#confirm = confirm;
  }

  resolve(path: readonly Name[], from?: NodeId): Promise<PastNode[]> {
    return confirmedAnswer(this.#past.resolve(path, from), this.#confirm);
  }

  findChain(nodeId: NodeId): Promise<PastNode[] | undefined> {
    return confirmedAnswer(this.#past.findChain(nodeId), this.#confirm);
  }

  listGrants(): Promise<readonly GrantRecord[]> {
    return confirmedAnswer(this.#past.listGrants(), this.#confirm);
  }

  listFolder(
    folderId: NodeId, options?: PastListOptions,
  ): AsyncIterable<readonly PastNode[]> {
    return confirmed(this.#past.listFolder(folderId, options), this.#confirm);
  }
}
