/**
 * What has changed that a caller can see: over the caller's own space and all that others share
 * with the caller, from where a cursor says, without gaps.
 *
 * Every space has a journal of its own, and permission changes without any. So a cursor says for
 * each space how far its journal was followed and which grants counted then. A page takes events
 * after that, looks at the nodes that they name as these are now (see seen-change.ts, and why in
 * ADR 0030), and adds where permission has made something appear or disappear.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { SpaceId } from '../../base/ids.ts';
import type { Caller } from '../../identity/index.ts';
import type { Instant, MetadataStore } from '../../metadata/index.ts';
import type { SpaceDirectory } from '../space-directory.ts';
import type { DeviceHold, DeviceHolds } from '../view/device-views.ts';
import { isLinkCaller } from '../view/link-caller.ts';
import { ReceivedShares } from '../view/received.ts';
import { formatCursor, parseCursor } from './feed-cursor.ts';
import type { CursorOwner } from './feed-cursor.ts';
import { FeedPageMaker } from './page-maker.ts';
import type { FeedParts } from './page-maker.ts';
import type { SeenChange } from './seen-change.ts';
import { SharedReads } from './shared-reads.ts';

/** Events that one page takes in at most. */
export const FEED_LIMIT_MAX = 500;

export type FeedPage = {
  isReset: false;
  changes: readonly SeenChange[];
  /** Where the next page begins. */
  cursor: string;
  /** The next page has something already. */
  isMore: boolean;
  /** Spaces in which something may happen that the next page tells. */
  spaces: readonly SpaceId[];
} | {
  /** What the cursor said cannot be followed. All is to be listed anew, and followed from here. */
  isReset: true;
  cursor: string;
  spaces: readonly SpaceId[];
};

export class ChangeFeed {
  readonly #parts: FeedParts;
  readonly #installation: string;
  readonly #holds: DeviceHolds | undefined;

  constructor(parts: {
    metadata: MetadataStore; spaces: SpaceDirectory; now: () => Instant;
    /** What tells this installation from any other. */
    installation: string;
    /** Devices that are held back see their own view. */
    holds?: DeviceHolds | undefined;
  }) {
    const { metadata, spaces, now } = parts;
    this.#parts = {
      metadata, spaces, now, received: new ReceivedShares(parts), reads: new SharedReads(metadata),
    };
    this.#installation = parts.installation;
    this.#holds = parts.holds;
  }

  /**
   * One page from `cursor` on; without one, or with one that is damaged, of another installation or
   * user, older than what is kept, or from a future that a restored backup does not have, a reset.
   * `limit`: events, 1 to FEED_LIMIT_MAX. A page may have no entries and still say that there are
   * more. The number of statements grows with the spaces that have changed, not with the entries.
   * @throws denied: whoever comes by a link; too-large `too-many-shares`; invalid: the limit.
   */
  async changesSince(
    caller: Caller, cursor: string | undefined, limit = FEED_LIMIT_MAX,
  ): Promise<FeedPage> {
    if (isLinkCaller(caller)) throw noFeed();
    if (!Number.isInteger(limit) || limit < 1 || limit > FEED_LIMIT_MAX) throw badLimit();
    const owner: CursorOwner = { installation: this.#installation, user: caller.user };
    const hold = this.#holds?.of(caller);
    const holdMark = hold?.mark ?? '';
    const since = cursor === undefined ? undefined : parseCursor(cursor, owner);
    const isSameView = since?.holdMark === holdMark;
    const maker = new FeedPageMaker(this.#parts, caller, holdMark);
    const page = since === undefined || !isSameView ? await maker.reset()
      : await maker.page(since, limit);
    const { next, spaces } = page;
    const text = formatCursor(next, owner);
    // A device that is held back sees what no journal has: it looks for itself.
    if (page.isReset || (isHeld(hold) && page.hasMoved)) {
      return { isReset: true, cursor: text, spaces };
    }
    const { changes, isMore, isSame } = page;
    return { isReset: false, changes, isMore, spaces, cursor: isSame ? cursor ?? text : text };
  }
}

function isHeld(hold: DeviceHold | undefined): boolean {
  return hold?.spaces.values().some((held) => held.size > 0) === true;
}

function noFeed(): HoldfastError {
  const message = 'Changes are told to people with an account alone. Look at the folder again.';
  return new HoldfastError('denied', 'files/changesSince', message);
}

function badLimit(): HoldfastError {
  const message = `A page has 1 to ${FEED_LIMIT_MAX} changes.`;
  return new HoldfastError('invalid', 'files/changesSince', message, { code: 'limit' });
}
