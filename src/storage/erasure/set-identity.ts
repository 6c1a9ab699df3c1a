/** Which set it is that the parity files speak of. */
import { HoldfastError } from '../../base/errors.ts';
import type { ParityFacts } from './parity-file.ts';
import type { SetFacts } from './set-layout.ts';
import type { ErasureFinding, OnErasureFinding } from './shard-place.ts';

export interface SetExpectation {
  /** 16 bytes. */
  readonly storeId?: Buffer;
  readonly number?: number;
}

export interface FoundParity {
  readonly shard: number;
  /** Undefined when the file could not be opened, or has lost its headers or catalogues. */
  readonly facts: ParityFacts | undefined;
  readonly finding: ErasureFinding | undefined;
}

export interface ChosenFacts {
  readonly facts: SetFacts;
  /** Parity files that belong elsewhere. */
  readonly foreign: readonly number[];
}

const OP = 'storage/ErasureSet.open';

/** What most of the parity files agree on. Reports those that are foreign or damaged.
 *  @throws corrupt, unavailable, invalid */
export function chooseFacts(
  found: readonly FoundParity[], expect: SetExpectation | undefined, onFinding: OnErasureFinding,
): ChosenFacts {
  const voices = new Map<string, FoundParity[]>();
  const foreign: number[] = [];
  for (const one of found) {
    const { facts, finding, shard } = one;
    if (facts === undefined) {
      if (finding === undefined) onFinding({ kind: 'damaged', shard });
    } else if (isForeign(facts, shard, expect)) {
      foreign.push(shard);
    } else {
      const { id, catalogueHash } = facts.header;
      const voice = id.toString('hex') + catalogueHash.toString('hex');
      voices.set(voice, [...(voices.get(voice) ?? []), one]);
    }
  }
  const report = (): void => {
    for (const shard of foreign) onFinding({ kind: 'foreign', shard });
  };
  const [most, next] = [...voices.values()].sort((a, b) => b.length - a.length);
  if (most === undefined) {
    report();
    throw nobodySpeaks(found, foreign.length);
  }
  if (next?.length === most.length) {
    const message = 'The parity files speak of different sets. Name those of one set.';
    throw new HoldfastError('invalid', OP, message);
  }
  for (const others of voices.values()) {
    if (others !== most) foreign.push(...others.map(({ shard }) => shard));
  }
  report();
  for (const { shard, facts } of most) {
    if (facts?.isWhole === false) onFinding({ kind: 'damaged', shard });
  }
  const { header, shards } = most[0]?.facts as ParityFacts;
  const { number, id, storeId, createdAt, shape } = header;
  return { facts: { number, id, storeId, createdAt, shape, shards }, foreign };
}

function isForeign(
  { header }: ParityFacts, shard: number, expect: SetExpectation | undefined,
): boolean {
  const { storeId, number } = expect ?? {};
  return header.shard !== shard || (number !== undefined && number !== header.number) ||
    (storeId !== undefined && !storeId.equals(header.storeId));
}

function nobodySpeaks(found: readonly FoundParity[], foreign: number): HoldfastError {
  if (foreign > 0) {
    const message = 'The parity files belong to another set or store. Look at what is mounted.';
    return new HoldfastError('invalid', OP, message, { facts: { foreign } });
  }
  const isAway = found.some(({ finding }) => {
    return finding?.kind === 'unreachable' || finding?.kind === 'missing';
  });
  if (isAway) {
    const message = 'No parity file of the set can be reached. Bring back one of its disks.';
    return new HoldfastError('unavailable', OP, message);
  }
  const message = 'All parity files of the set have lost their headers. Make the parity anew.';
  return new HoldfastError('corrupt', OP, message);
}
