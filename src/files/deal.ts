/** What requests bring along, and what they are refused with. */
import { HoldfastError } from '../base/errors.ts';
import type { NodeId } from '../base/ids.ts';
import type { Name } from '../base/names.ts';
import type { Expectation, Instant } from '../metadata/index.ts';
import type { Checksum } from './checksums.ts';
import type { SeenNode } from './view/sight.ts';

/** What a request brings along besides what it asks for. */
export interface Deal {
  /** Lock tokens that the client showed. */
  lockTokens?: readonly string[];
  /** Decides on what is there now (undefined: nothing), and throws `precondition` to refuse.
   *  What it approved is what the change is applied to, or the change fails with `precondition`. */
  condition?: (current: SeenNode | undefined) => void;
  /** What appears at the path must go into this very folder: refused when another is there by now,
   *  as if the parent were missing. */
  intoFolder?: NodeId | undefined;
  signal?: AbortSignal;
}

export interface UploadOptions extends Deal {
  /** What the bytes must hash to. */
  checksum?: Checksum | undefined;
  modifiedAt?: Instant | undefined;
  createdAt?: Instant | undefined;
}

/** Where a copy or move goes: its conditions speak of what is copied or moved. */
export function asTarget(
  path: readonly Name[], { intoFolder }: Deal,
): { path: readonly Name[]; deal: Deal; replacing: 'delete' } {
  return { path, deal: { intoFolder }, replacing: 'delete' };
}

/** Lets the caller's condition look, and turns what it approved into what the commit must find. */
export function judge(deal: Deal, current: SeenNode | undefined): Expectation | undefined {
  if (deal.condition === undefined) return undefined;
  deal.condition(current);
  return current === undefined ? 'absent' : { nodeId: current.id, mark: current.mark };
}

export function notFound(op: string): HoldfastError {
  return new HoldfastError('not-found', `files/${op}`, 'There is no file or folder at this path.');
}

export function exists(op: string): HoldfastError {
  return new HoldfastError('exists', `files/${op}`, 'Something is already there under this name.');
}

/** Also for what the caller must not see: what it is stays untold. */
export function nameTaken(op: string): HoldfastError {
  const message = 'This name is taken here. Choose another one.';
  return new HoldfastError('conflict', `files/${op}`, message, { code: 'name-clash' });
}

export function parentMissing(op: string): HoldfastError {
  const message = 'The folder that this should go into does not exist.';
  return new HoldfastError('conflict', `files/${op}`, message, { code: 'parent-missing' });
}

export function isFolder(op: string): HoldfastError {
  const message = 'This is a folder, not a file.';
  return new HoldfastError('conflict', `files/${op}`, message, { code: 'is-folder' });
}
