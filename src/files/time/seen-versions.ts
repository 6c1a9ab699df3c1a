/**
 * Which versions of a file somebody may know of who does not own its space: those that he or she
 * could read at the time. A share made today shows what the file holds today and from now on, and
 * nothing that was replaced before.
 *
 * The time of a version is the last moment at which it was the file's content. Where versions have
 * been thinned out that moment is not known, and the one counts at which it was saved. What is
 * older than the past that is kept is judged by the oldest moment that is: there those grants count
 * that had been made by the time of the version, and all that shut somebody out.
 */
import type { Caller } from '../../identity/index.ts';
import type {
  GrantRecord, Horizon, Instant, NodeRecord, SpaceRecord, VersionRecord,
} from '../../metadata/index.ts';
import { accessOfRole } from '../access.ts';
import { ThenAndNow } from './then-and-now.ts';
import type { Then, ThenParts } from './then-and-now.ts';

/** Older ones of one file are not shown to others: each takes a look at the past. */
const JUDGED_MAX = 1_000;

/** `versions` are those of the node, newest first; the present content is always one of those that
 *  are answered. */
export async function seenVersions(
  parts: ThenParts, caller: Caller,
  { node, versions }: { node: NodeRecord; versions: readonly VersionRecord[] },
): Promise<VersionRecord[]> {
  const space = await parts.metadata.getSpace(node.spaceId);
  if (space.owner === caller.user) return [...versions];
  const horizon = await parts.metadata.getHorizon(space.id);
  const judge = new Judge(parts, caller, { space, horizon, node });
  const seen: VersionRecord[] = [];
  for (const [index, version] of versions.slice(0, JUDGED_MAX).entries()) {
    const isPresent = version.contentRev === node.contentRev;
    if (isPresent || await judge.couldRead(version, versions[index - 1])) seen.push(version);
  }
  return seen;
}

class Judge {
  readonly #parts: ThenParts;
  readonly #caller: Caller;
  readonly #space: SpaceRecord;
  readonly #horizon: Horizon;
  readonly #node: NodeRecord;

  constructor(
    parts: ThenParts, caller: Caller,
    of: { space: SpaceRecord; horizon: Horizon; node: NodeRecord },
  ) {
    this.#parts = parts;
    this.#caller = caller;
    this.#space = of.space;
    this.#horizon = of.horizon;
    this.#node = of.node;
  }

  /** `next` is the version that is kept after it. */
  async couldRead(version: VersionRecord, next: VersionRecord | undefined): Promise<boolean> {
    if (next !== undefined) {
      const last = await this.#lookAt(next.contentRev - 1, next.savedAt);
      const was = (await last.past.findChain(this.#node.id))?.at(-1);
      if (was?.contentRev === version.contentRev) return this.#mayDownload(last);
    }
    return this.#mayDownload(await this.#lookAt(version.contentRev, version.savedAt));
  }

  #lookAt(rev: number, at: Instant): Promise<ThenAndNow> {
    const { revFloor } = this.#horizon;
    const then: Then = { space: this.#space, rev: Math.max(rev, revFloor), at };
    if (rev >= revFloor) return ThenAndNow.open(this.#parts, this.#caller, then);
    const counts = ({ createdAt, role }: GrantRecord): boolean =>
      createdAt <= at || role === 'none';
    return ThenAndNow.open(this.#parts, this.#caller, { ...then, counts });
  }

  async #mayDownload(view: ThenAndNow): Promise<boolean> {
    return accessOfRole(await view.roleAt(this.#node.id)).download;
  }
}
