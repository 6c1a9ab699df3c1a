/** The quarantines of all devices, as the store has them and kept in memory beside it: what a
 *  device sees is asked for with every request. */
import { isKind } from '../../base/errors.ts';
import type { NodeId, SpaceId } from '../../base/ids.ts';
import type { Caller } from '../../identity/index.ts';
import {
  HELD_LIMIT_MAX, isLiveQuarantine, QUARANTINES_LIMIT_MAX,
} from '../../metadata/index.ts';
import type {
  Actor, ChangeResult, Hold, MetadataStore, NodeRecord, QuarantineRecord,
} from '../../metadata/index.ts';
import type { DeviceHold, DeviceHolds, HeldView } from '../view/device-views.ts';

/** One that holds what comes: `open` or `keeping`. */
export interface LiveQuarantine {
  readonly id: number;
  readonly spaceId: SpaceId;
  readonly openedRev: number;
  readonly held: Map<NodeId, HeldView>;
}

interface Device extends DeviceHold {
  mark: string;
  /** Sum of the view revisions of all its quarantines, over ones too: it only ever grows. */
  viewRev: number;
  readonly spaces: Map<SpaceId, Map<NodeId, HeldView>>;
  readonly live: Map<SpaceId, LiveQuarantine>;
}

/** Where quarantines are read from. */
export type QuarantineLists = Pick<MetadataStore, 'listQuarantines' | 'listHeld'>;

type DeviceKey = Pick<QuarantineRecord, 'user' | 'deviceKey'>;

/** What tells the devices of a user apart: the password of its own that it signs in with. Whoever
 *  signs in with the account's password is one device. */
export function deviceKeyOf({ user, deviceId, device }: Caller): DeviceKey {
  return { user, deviceKey: deviceId ?? device };
}

export class Quarantines implements DeviceHolds {
  readonly #metadata: MetadataStore;
  /** Which may leave out what cannot be reached, for `learn`. */
  readonly #lists: QuarantineLists;
  readonly #devices = new Map<string, Device>();
  readonly #opening = new Map<string, Promise<LiveQuarantine>>();
  /** State and view revision of each, as they were taken in last. */
  readonly #seen = new Map<number, string>();
  readonly #onOpened: (quarantine: QuarantineRecord) => void;
  #liveCount = 0;

  constructor(parts: {
    metadata: MetadataStore; lists?: QuarantineLists | undefined;
    onOpened?: ((quarantine: QuarantineRecord) => void) | undefined;
  }) {
    this.#metadata = parts.metadata;
    this.#lists = parts.lists ?? parts.metadata;
    this.#onOpened = parts.onOpened ?? (() => undefined);
  }

  /** To be called before the first request: what devices see depends on it. Of `source`: all that
   *  can be reached; what comes within reach later is loaded before its first request. */
  async load(source: QuarantineLists = this.#metadata): Promise<void> {
    let before: number | undefined;
    for (;;) {
      const page = await source.listQuarantines({}, QUARANTINES_LIMIT_MAX, before);
      for (const record of page) await this.#take(record, source);
      before = page.at(-1)?.id;
      if (before === undefined) return;
    }
  }

  /** Where other servers write to the store as well: learns what they have held and decided. */
  async learn(): Promise<void> {
    for (const record of await this.#lists.listQuarantines({}, QUARANTINES_LIMIT_MAX)) {
      if (this.#seen.get(record.id) !== seenOf(record)) await this.#take(record);
    }
  }

  /** A device that is held back stays so while it is read what others have held of it. */
  async #take(
    record: QuarantineRecord, source: QuarantineLists = this.#metadata,
  ): Promise<void> {
    const device = this.#device(record);
    const known = device.live.get(record.spaceId);
    if (!isLiveQuarantine(record.state)) {
      this.#leave(record);
    } else if (known?.id === record.id) {
      const held = await readHeld(source, record.id);
      known.held.clear();
      for (const [nodeId, view] of held) known.held.set(nodeId, view);
    } else {
      await this.enter(record, source);
    }
    this.#bump(device, record.viewRev);
    this.#seen.set(record.id, seenOf(record)); // What failed before is tried again.
  }

  #leave({ id, spaceId, ...of }: QuarantineRecord): void {
    const device = this.#device(of);
    if (device.live.get(spaceId)?.id !== id) return;
    device.live.delete(spaceId);
    device.spaces.delete(spaceId);
    this.#liveCount -= 1;
  }

  /** From now on the device sees what is held. Calm when it does already. */
  async enter(
    record: QuarantineRecord, source: QuarantineLists = this.#metadata,
  ): Promise<LiveQuarantine> {
    const { id, spaceId, openedRev } = record;
    const device = this.#device(record);
    const entered = device.live.get(spaceId);
    if (entered?.id === id) return entered;
    const held = await readHeld(source, id);
    const there = device.live.get(spaceId);
    if (there?.id === id) return there; // Whoever was faster may hold more by now.
    const live: LiveQuarantine = { id, spaceId, openedRev, held };
    if (there === undefined) this.#liveCount += 1;
    device.live.set(spaceId, live);
    device.spaces.set(spaceId, held);
    return live;
  }

  #device({ user, deviceKey }: DeviceKey): Device {
    const key = `${user}\n${deviceKey}`;
    const there = this.#devices.get(key);
    if (there !== undefined) return there;
    const made: Device = { mark: '', viewRev: 0, spaces: new Map(), live: new Map() };
    this.#devices.set(key, made);
    return made;
  }

  #bump(device: Device, by = 1): void {
    device.viewRev += by;
    device.mark = `q${device.viewRev.toString(16)}`;
  }

  /** Quarantines that nobody has decided. */
  get openCount(): number {
    return this.#liveCount;
  }

  of(caller: Caller): DeviceHold | undefined {
    return this.#find(caller);
  }

  #find(caller: Caller): Device | undefined {
    if (this.#devices.size === 0) return undefined;
    const { user, deviceKey } = deviceKeyOf(caller);
    return this.#devices.get(`${user}\n${deviceKey}`);
  }

  live(caller: Caller, spaceId: SpaceId): LiveQuarantine | undefined {
    return this.#find(caller)?.live.get(spaceId);
  }

  /** Calm when there is one. */
  async open(caller: Caller, spaceId: SpaceId, actor: Actor): Promise<LiveQuarantine> {
    const there = this.live(caller, spaceId);
    if (there !== undefined) return there;
    const { user, deviceKey } = deviceKeyOf(caller);
    const key = `${user}\n${deviceKey}\n${spaceId}`;
    const underWay = this.#opening.get(key);
    if (underWay !== undefined) return underWay;
    const opening = this.#open(deviceKey, spaceId, actor)
      .finally(() => this.#opening.delete(key));
    this.#opening.set(key, opening);
    return opening;
  }

  async #open(
    deviceKey: string, spaceId: SpaceId, actor: Actor,
  ): Promise<LiveQuarantine> {
    const { count: id } = await this.#metadata.commit({
      op: 'open-quarantine', spaceId, deviceKey, actor,
    });
    const record = await this.#metadata.findQuarantine(id);
    if (record === undefined) throw new TypeError('a quarantine that was opened is there');
    this.#bump(this.#device(record));
    const live = await this.enter(record);
    this.#onOpened(record);
    return live;
  }

  /** Holds, durably, and shows it to the device. undefined: it was decided at this very moment.
   *  @throws as Hold. */
  async hold(
    caller: Caller, live: LiveQuarantine, nodes: readonly NodeRecord[],
    hold: Omit<Hold, 'op' | 'spaceId' | 'quarantineId' | 'deleted'>,
  ): Promise<ChangeResult | undefined> {
    const { id: quarantineId, spaceId } = live;
    const deleted = nodes.map(({ id }) => id);
    let result: ChangeResult;
    try {
      result = await this.#metadata.commit({ op: 'hold', spaceId, quarantineId, deleted, ...hold });
    } catch (error) {
      if (isKind(error, 'conflict') && error.code === 'quarantine-decided') return undefined;
      throw error;
    }
    const { file, released, actor } = hold;
    for (const nodeId of released) live.held.delete(nodeId);
    let id = result.count;
    if (file !== undefined) {
      const { nodeId, content: { sizeBytes, checksums }, modifiedAt = actor.at } = file;
      live.held.set(nodeId, { id, kind: 'content', sizeBytes, checksums, modifiedAt });
      id += 1;
    }
    for (const node of nodes) {
      const { sizeBytes } = node;
      live.held.set(node.id, {
        id, kind: 'deleted', sizeBytes, modifiedAt: actor.at, checksums: '',
      });
      id += 1;
    }
    this.#bump(this.#device(deviceKeyOf(caller)));
    return result;
  }

  /** What was held of a node is no longer, and the store knows it. */
  released(
    record: QuarantineRecord, { nodeId, id }: { nodeId: NodeId; id: number },
  ): void {
    const device = this.#device(record);
    const live = device.live.get(record.spaceId);
    if (live?.held.get(nodeId)?.id === id) live.held.delete(nodeId);
    this.#bump(device);
  }

  heldOf(record: QuarantineRecord): ReadonlyMap<NodeId, HeldView> {
    return this.#device(record).live.get(record.spaceId)?.held ?? new Map<NodeId, HeldView>();
  }

  /** Decided, or ended: from now on as the store has it. */
  async refresh(id: number): Promise<QuarantineRecord | undefined> {
    const record = await this.#metadata.findQuarantine(id);
    if (record === undefined) return undefined;
    const device = this.#device(record);
    if (isLiveQuarantine(record.state)) await this.enter(record);
    else this.#leave(record);
    this.#bump(device);
    return record;
  }
}

async function readHeld(
  source: QuarantineLists, id: number,
): Promise<Map<NodeId, HeldView>> {
  const held = new Map<NodeId, HeldView>();
  for (let after = 0; ;) {
    const page = await source.listHeld(id, HELD_LIMIT_MAX, after);
    for (const { nodeId, ...view } of page) held.set(nodeId, viewOf(view));
    const last = page.at(-1);
    if (last === undefined) return held;
    after = last.id;
  }
}

function seenOf({ state, viewRev }: QuarantineRecord): string {
  return `${state} ${viewRev}`;
}

function viewOf(
  { id, kind, sizeBytes, modifiedAt, checksums }: HeldView,
): HeldView {
  return { id, kind, sizeBytes, modifiedAt, checksums };
}
