/**
 * Tells those who wait that something may have changed for them. Hints only: who is told looks for
 * himself, by a feed; who is told for nothing has lost a look, and nothing is kept for anybody.
 *
 * A space wakes those who watch it. What was shared a moment ago lies in a space that its receiver
 * does not watch yet: so when the grants of a space have changed, the people and groups named in
 * the new ones are woken too.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { SpaceId } from '../../base/ids.ts';
import type { Caller } from '../../identity/index.ts';
import type { MetadataStore } from '../../metadata/index.ts';

/** Spaces of which it is remembered how new their grants are. */
const REMEMBERED_MAX = 10_000;
/** Where nothing is remembered, grants of so many revisions count as new. */
const REVISIONS_LOOKED_AT = 64;

export interface HubLimits {
  /** In all. */
  listenersMax: number;
  /** Of one user. */
  perUserMax: number;
}

export interface Listener {
  /** From now on these spaces wake it, and no others. */
  watch(spaces: readonly SpaceId[]): void;
  /** Calm when called twice. */
  close(): void;
}

interface Entry {
  caller: Caller;
  wake: () => void;
  spaces: readonly SpaceId[];
}

export class ChangeHub {
  readonly #metadata: Pick<MetadataStore, 'accessRev' | 'listGrants'>;
  readonly #limits: HubLimits;
  readonly #onTrouble: (error: unknown) => void;
  readonly #bySpace = new Map<SpaceId, Set<Entry>>();
  readonly #byUser = new Map<string, Set<Entry>>();
  readonly #accessRevs = new Map<SpaceId, number>();
  #count = 0;
  #generation = 0;

  constructor(parts: {
    metadata: Pick<MetadataStore, 'accessRev' | 'listGrants'>; limits: HubLimits;
    onTrouble: (error: unknown) => void;
  }) {
    this.#metadata = parts.metadata;
    this.#limits = parts.limits;
    this.#onTrouble = parts.onTrouble;
  }

  get listenerCount(): number {
    return this.#count;
  }

  /** Spaces that somebody waits for. */
  get watched(): SpaceId[] {
    return [...this.#bySpace.keys()];
  }

  /** Another number after each change: what was looked up since is not out of date. */
  get generation(): number {
    return this.#generation;
  }

  /** `wake` may be called many times; it must be quick. @throws busy `too-many-listeners`. */
  listen(caller: Caller, wake: () => void): Listener {
    const ofUser = this.#byUser.get(caller.user) ?? new Set<Entry>();
    const isFull = this.#count >= this.#limits.listenersMax
      || ofUser.size >= this.#limits.perUserMax;
    if (isFull) throw tooMany();
    const entry: Entry = { caller, wake, spaces: [] };
    this.#count += 1;
    ofUser.add(entry);
    this.#byUser.set(caller.user, ofUser);
    let isOpen = true;
    return {
      watch: (spaces) => {
        this.#unwatch(entry);
        entry.spaces = isOpen ? spaces : [];
        for (const space of entry.spaces) addTo(this.#bySpace, space, entry);
      },
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        this.#count -= 1;
        this.#unwatch(entry);
        removeFrom(this.#byUser, caller.user, entry);
      },
    };
  }

  #unwatch(entry: Entry): void {
    for (const space of entry.spaces) removeFrom(this.#bySpace, space, entry);
    entry.spaces = [];
  }

  /** A commit has changed a space. Returns at once. */
  changed(space: SpaceId): void {
    this.#generation += 1;
    if (this.#count === 0) return;
    for (const entry of this.#bySpace.get(space) ?? []) entry.wake();
    this.#tellReceivers(space).catch(this.#onTrouble);
  }

  async #tellReceivers(space: SpaceId): Promise<void> {
    const accessRev = await this.#metadata.accessRev(space);
    const known = this.#accessRevs.get(space) ?? accessRev - REVISIONS_LOOKED_AT;
    if (this.#accessRevs.size >= REMEMBERED_MAX) this.#accessRevs.clear();
    this.#accessRevs.set(space, accessRev);
    if (accessRev === 0 || accessRev === known) return;
    for (const { subject, revFrom } of await this.#metadata.listGrants(space)) {
      if (revFrom <= known || subject.kind === 'link') continue;
      if (subject.kind === 'group') this.#wakeGroup(subject.id);
      else for (const each of this.#byUser.get(subject.id) ?? []) each.wake();
    }
  }

  #wakeGroup(id: string): void {
    for (const entries of this.#byUser.values()) {
      for (const { caller, wake } of entries) {
        if (caller.groups.some((group) => group === id)) wake();
      }
    }
  }
}

function addTo<K>(index: Map<K, Set<Entry>>, key: K, entry: Entry): void {
  const there = index.get(key);
  if (there === undefined) index.set(key, new Set([entry]));
  else there.add(entry);
}

function removeFrom<K>(index: Map<K, Set<Entry>>, key: K, entry: Entry): void {
  const there = index.get(key);
  there?.delete(entry);
  if (there?.size === 0) index.delete(key);
}

function tooMany(): HoldfastError {
  const message = 'Too many programs wait for changes at the moment. Ask now and then instead of '
    + 'waiting, or close some of them.';
  return new HoldfastError('busy', 'files/ChangeHub.listen', message, {
    code: 'too-many-listeners', facts: { retryAfterMs: 30_000 },
  });
}
