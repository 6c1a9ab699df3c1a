/**
 * Which node of a cluster is spoken to. All of one process use the same one, whoever notices first
 * that it fails says so for all: a writer and readers on different nodes would not see each other's
 * work at once, and writers on two nodes refuse each other's commits. So the nodes are taken in
 * their order, and the choice lies in memory that threads share. How the first one is used again
 * that was left: node-return.ts.
 */
import type { ConnectionOptions } from 'mysql2/promise';
import { tellNodes } from '../database-nodes.ts';
import { RETURN_BYTES, returnedAtOf } from './node-return.ts';
import type { ServerAddress } from './session.ts';

export interface ServerHost {
  host: string;
  port?: number;
}

/** How many nodes an address may name. */
export const NODES_MAX = 16;

/** One node, without the others, and one user. */
export type NodeAddress = Omit<
  ServerAddress, 'others' | 'choice' | 'schemaUser' | 'known' | 'returnAfterMs' | 'retries'
>;

/** The same address, for who makes and alters tables. */
export function asSchemaUser(address: ServerAddress): ServerAddress {
  return { ...address, ...address.schemaUser };
}

export function nodesOf(
  {
    others = [], choice: _, schemaUser: __, known: _____, returnAfterMs: ___, retries: ______,
    ...first
  }: ServerAddress,
): NodeAddress[] {
  const { socketPath: ____, ...common } = first;
  return [first, ...others.map((host) => ({ ...common, ...host }))].slice(0, NODES_MAX);
}

/** What the driver has to know to get there. */
export function wayTo({ tlsCa, ...place }: NodeAddress): ConnectionOptions {
  if (tlsCa === undefined) return place;
  return { ...place, ssl: { ca: tlsCa, verifyIdentity: true } };
}

/** Where servers listen that nobody has told otherwise. */
const PORT = 3306;

/** The place of the node in use, and behind it what node-return.ts keeps. */
const PLACE_BYTES = 8;

export function newChoice(): SharedArrayBuffer {
  return new SharedArrayBuffer(PLACE_BYTES + RETURN_BYTES);
}

const choices = new Map<string, SharedArrayBuffer>();

/** The same address, with a choice that is the same for all who name these nodes in this process;
 *  threads share it once it was handed to them. */
export function withChoice(address: ServerAddress): ServerAddress {
  if (address.choice !== undefined || (address.others ?? []).length === 0) return address;
  const names = nodesOf(address).map(nameOf);
  const key = names.join(',');
  const known = choices.get(key);
  if (known !== undefined) return { ...address, choice: known };
  const choice = newChoice();
  choices.set(key, choice);
  const shared = new NodeChoice({ ...address, choice });
  tellNodes({ names, place: () => shared.current, returnedAt: () => returnedAtOf(shared.cells) });
  return { ...address, choice };
}

function nameOf({ host, port = PORT, socketPath }: NodeAddress): string {
  return host === undefined ? String(socketPath) : `${host}:${port}`;
}

export class NodeChoice {
  readonly #nodeCount: number;
  readonly #place: Int32Array;
  /** Of whoever looks for the way back. */
  readonly cells: BigInt64Array;

  constructor({ choice = newChoice(), others = [] }: ServerAddress) {
    this.#nodeCount = others.length + 1;
    this.#place = new Int32Array(choice, 0, 1);
    this.cells = new BigInt64Array(choice, PLACE_BYTES);
  }

  /** The place of the node that is used. */
  get current(): number {
    return Atomics.load(this.#place, 0);
  }

  /** Places of all nodes, the one in use first. */
  order(): number[] {
    const { current } = this;
    return Array.from({ length: this.#nodeCount }, (_, at) => (current + at) % this.#nodeCount);
  }

  /** From now on all use `to`, unless somebody has left `from` already. */
  move(from: number, to: number): void {
    Atomics.compareExchange(this.#place, 0, from, to);
  }

  /** The node at this place does not answer. */
  leave(place: number): void {
    this.move(place, (place + 1) % this.#nodeCount);
  }
}
