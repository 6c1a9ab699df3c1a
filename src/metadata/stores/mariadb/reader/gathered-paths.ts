/**
 * Paths that many follow at the same time, with one statement.
 *
 * Following a path name by name is a recursion, which costs the server far more than looking up the
 * rows that it comes to. Whoever has followed a path once knows the ids of its folders; so the next
 * time all its places are asked for at once, together with those of everybody who asks meanwhile:
 * what stands there, on one snapshot. Where the folders found are the ones that were guessed, the
 * places join to a chain that was true at that moment. Where they are not, the path is followed as
 * before. So a wrong guess costs a question, never an answer.
 */
import { assert } from '../../../../base/assert.ts';
import type { SpaceId } from '../../../../base/ids.ts';
import type { Clock } from '../../../../platform/index.ts';
import { valuesFor } from '../../../../platform/mariadb/index.ts';
import type { Answer } from '../../../../platform/mariadb/index.ts';
import type { NodeRecord } from '../../../records.ts';
import { toRecord } from '../../sqlite/reader/follow-reader.ts';
import type { ChainTuple } from '../../sqlite/reader/follow-reader.ts';
import type { Step } from '../line/line-messages.ts';
import { WALK_STATEMENTS } from './reader-statements.ts';

/** Full, it begins anew. */
const FOLDERS_MAX = 50_000;
/** Deeper paths are followed from the root. */
const DEPTH_MAX = 64;
/** Places that go with one statement, and no path more. */
const TOGETHER_MAX = 512;
/** Whoever comes while another is being answered goes with the next, but waits no longer for it. */
const WAIT_MAX_MS = 2;

/** From the root, whose place has no name, to the last name. */
export interface CanonicalPath {
  spaceId: SpaceId;
  canons: readonly string[];
}

type Place = readonly [spaceId: SpaceId, parentId: number, canon: string];
type Found = ReadonlyMap<string, NodeRecord>;
type PlaceTuple = [...row: ChainTuple, spaceId: SpaceId];

interface Group {
  readonly places: Map<string, Place>;
  readonly answer: PromiseWithResolvers<Found>;
}

export class GatheredPaths {
  readonly #ask: (key: string, step: Step) => Promise<Answer>;
  readonly #clock: Clock;
  /** By place the id of the folder that was seen there last. */
  readonly #folders = new Map<string, number>();
  #next: Group | undefined;
  #underWayCount = 0;

  constructor(ask: (key: string, step: Step) => Promise<Answer>, clock: Clock) {
    this.#ask = ask;
    this.#clock = clock;
  }

  /** As MetadataStore.resolve, no older than the moment of asking; undefined: the path has to be
   *  followed from the root. @throws as `ask`. */
  async find(path: CanonicalPath): Promise<NodeRecord[] | undefined> {
    const places = this.#placesOf(path);
    return places && chainIn(await this.#gather(places), places);
  }

  /** What was found when the path was followed from the root. */
  note({ spaceId, canons }: CanonicalPath, chain: readonly NodeRecord[]): void {
    if (this.#folders.size >= FOLDERS_MAX) this.#folders.clear();
    let parentId = 0;
    for (const [depth, { id, kind }] of chain.entries()) {
      if (kind !== 'folder') return;
      const canon = depth === 0 ? '' : canons[depth - 1];
      assert(canon !== undefined, 'a chain is no longer than its path');
      this.#folders.set(keyOf([spaceId, parentId, canon]), id);
      parentId = id;
    }
  }

  #placesOf({ spaceId, canons }: CanonicalPath): Place[] | undefined {
    if (canons.length > DEPTH_MAX) return undefined;
    let last: Place = [spaceId, 0, ''];
    const places = [last];
    for (const canon of canons) {
      const parentId = this.#folders.get(keyOf(last));
      if (parentId === undefined) return undefined;
      last = [spaceId, parentId, canon];
      places.push(last);
    }
    return places;
  }

  #gather(places: readonly Place[]): Promise<Found> {
    const group = this.#next ?? this.#newGroup();
    for (const place of places) group.places.set(keyOf(place), place);
    if (group.places.size >= TOGETHER_MAX) this.#begin(group);
    return group.answer.promise;
  }

  #newGroup(): Group {
    const group: Group = { places: new Map(), answer: Promise.withResolvers() };
    this.#next = group;
    if (this.#underWayCount === 0) setImmediate(() => this.#begin(group));
    else this.#clock.after(WAIT_MAX_MS, () => this.#begin(group));
    return group;
  }

  /** Calm when it has begun already. */
  #begin(group: Group): void {
    if (group !== this.#next) return;
    this.#next = undefined;
    this.#underWayCount += 1;
    this.#look(group.places).then(group.answer.resolve, group.answer.reject).finally(() => {
      this.#underWayCount -= 1;
      if (this.#next !== undefined) this.#begin(this.#next);
    });
  }

  async #look(places: ReadonlyMap<string, Place>): Promise<Found> {
    const { nodesAt } = WALK_STATEMENTS;
    const values = valuesFor(nodesAt, [{ places: JSON.stringify([...places.values()]) }]);
    const key = `nodesAt ${String(values[0])}`;
    const { rows } = await this.#ask(key, { text: nodesAt.text, values });
    return new Map((rows as PlaceTuple[]).map((row) => {
      const [, parentId, canon] = row;
      const spaceId = row[row.length - 1] as SpaceId;
      return [keyOf([spaceId, parentId, canon]), toRecord(spaceId, row as unknown as ChainTuple)];
    }));
  }
}

/** No canonical name holds a slash. */
function keyOf([spaceId, parentId, canon]: Place): string {
  return `${spaceId}/${parentId}/${canon}`;
}

/** Undefined: a folder is another one than was guessed, or there is no root. */
function chainIn(found: Found, places: readonly Place[]): NodeRecord[] | undefined {
  const chain: NodeRecord[] = [];
  for (const place of places) {
    const above = chain.at(-1);
    if (above !== undefined && above.kind !== 'folder') return chain;
    const [, parentId] = place;
    if (above !== undefined && above.id !== parentId) return undefined;
    const record = found.get(keyOf(place));
    if (record === undefined) return above && chain;
    chain.push(record);
  }
  return chain;
}
