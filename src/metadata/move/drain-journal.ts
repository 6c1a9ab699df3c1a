/** What operators have asked for: that a shard be emptied. docs/formats/shard-drains.md */
import { HoldfastError } from '../../base/errors.ts';

const FORMAT = 1;

export interface DrainRecord {
  readonly shard: number;
  /** Of the note that this was read from; 0: there is none yet. */
  readonly rev: number;
  /** `stopped`: given up by an operator; what was moved stays where it is. */
  readonly state: 'draining' | 'done' | 'stopped';
  readonly isPaused: boolean;
  /** Tenants that are moved at the same time. */
  readonly atOnce: number;
  /** Tenants that were there when it began. */
  readonly total: number;
  readonly begunAt: number;
  /** Why nothing more begins at the moment, in words for the operator. */
  readonly trouble?: string | undefined;
}

/**
 * Where the emptying of shards is written down: one record for each shard, read and changed by any
 * server that reaches it. Whoever has read a record changes it only while nobody else has.
 * Durability: what `put` has resolved survives a power cut.
 * Errors: `unavailable` from every method, `invalid` where another version has noted something.
 */
export interface DrainJournal {
  /** By number of the shard. */
  list(): Promise<DrainRecord[]>;

  /** Answers with the record as it is noted now. @throws conflict `drain-changed`: what is noted is
   *  not of `record.rev`. */
  put(record: DrainRecord): Promise<DrainRecord>;

  /** Calm when called twice. */
  close(): Promise<void>;
}

/** What is undefined is left out, and so is what tells notes apart. */
export function textOfDrain({ rev: _, ...record }: DrainRecord): string {
  return JSON.stringify({ format: FORMAT, ...record });
}

/** @throws invalid: written by another version of the program. */
export function parseDrainNote(text: string, rev: number): DrainRecord {
  const { format, ...record } = JSON.parse(text) as DrainRecord & { format: number };
  if (format !== FORMAT) {
    throw new HoldfastError('invalid', 'metadata/DrainJournal', 'The emptying of a shard was noted '
      + 'by another version of Holdfast. Start the version that wrote it.', { facts: { format } });
  }
  return { ...record, rev };
}

export function drainChanged(shard: number): HoldfastError {
  return new HoldfastError('conflict', 'metadata/DrainJournal', `The emptying of shard ${shard} `
    + 'was changed by somebody else at this moment. See: holdfast shard drain status', {
    code: 'drain-changed', facts: { shard },
  });
}
