/** The same random work with quarantines on SQLite and on the model in memory gives the same. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import fc from 'fast-check';
import { HoldfastError } from '../../../base/errors.ts';
import { DEFAULT_TENANT, parseUserId } from '../../../base/ids.ts';
import type { NodeId } from '../../../base/ids.ts';
import { parseName } from '../../../base/names.ts';
import type { Actor, Change } from '../../changes.ts';
import { NOON } from '../../conformance/hand.ts';
import type { MetadataStore } from '../../metadata-store.ts';
import type { SpaceRecord } from '../../records.ts';
import { MemoryMetadataStore } from '../memory/memory-metadata-store.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';

const small = fc.nat({ max: 11 });
const device = fc.constantFrom('one', 'two');
const STEP = fc.oneof(
  { weight: 5, arbitrary: fc.record({ op: fc.constant('put' as const), at: small, bytes: small }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('folder' as const), at: small }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('delete' as const), at: small }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('lock' as const), at: small }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('open' as const), device }) },
  { weight: 8, arbitrary: fc.record({
    op: fc.constant('hold' as const), which: small, file: fc.option(small), bytes: small,
    deleted: fc.array(small, { maxLength: 2 }), released: fc.array(small, { maxLength: 2 }),
    expects: fc.constantFrom('nothing' as const, 'nothing' as const, 'absent' as const,
      'tree' as const, 'held' as const),
  }) },
  { weight: 1, arbitrary: fc.record({
    op: fc.constant('decide' as const), which: small,
    decision: fc.constantFrom('keep' as const, 'keep' as const, 'undo' as const),
  }) },
  { weight: 2, arbitrary: fc.record({
    op: fc.constant('make' as const), at: small, held: small, bytes: small,
  }) },
  { weight: 1, arbitrary: fc.record({
    op: fc.constant('drop' as const), which: small, held: small,
  }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('end' as const), which: small }) },
);
type Step = typeof STEP extends fc.Arbitrary<infer T> ? T : never;

/** Else the test would prove less than it says. */
const REACHED = [
  'done put', 'done folder', 'done delete', 'done lock', 'done open', 'done hold', 'done decide',
  'done make', 'done drop', 'done end', 'conflict quarantine-decided', 'not-found node-missing',
  'not-found held-missing', 'precondition changed', 'quota quota', 'locked locked',
  'conflict is-folder', 'denied root', 'conflict batch-running',
];

class Side {
  readonly store: MetadataStore;
  readonly space: SpaceRecord;
  readonly nodes: NodeId[];
  readonly quarantines: number[] = [];
  #heldBase = 0;
  #heldLast = 0;
  #batchBase = 0;
  #at = NOON;

  constructor(store: MetadataStore, space: SpaceRecord) {
    this.store = store;
    this.space = space;
    this.nodes = [space.rootId];
  }

  /** Numbers that are given out over the whole store are compared from where this work began. */
  async begin(): Promise<void> {
    const { id: spaceId } = this.space;
    const actor = this.#actor('zero');
    const { count: quarantineId } = await this.store.commit({
      op: 'open-quarantine', spaceId, deviceKey: 'zero', actor,
    });
    this.quarantines.push(quarantineId);
    const empty = { op: 'hold', spaceId, quarantineId, deleted: [], released: [], actor } as const;
    this.#heldBase = (await this.store.commit(empty)).count;
    this.#heldLast = this.#heldBase;
    const [newest] = await this.store.listBatches({}, 1);
    this.#batchBase = newest?.id ?? 0;
  }

  #actor(name: string): Actor {
    this.#at += 10;
    return { user: parseUserId('anna'), device: name, at: this.#at, lockTokens: [] };
  }

  node(at: number): NodeId {
    return this.nodes[at % this.nodes.length] ?? this.space.rootId;
  }

  #quarantine(which: number): number {
    return this.quarantines[which % this.quarantines.length] ?? 0;
  }

  #held(held: number): number {
    return this.#heldBase + (held % Math.max(1, this.#heldLast - this.#heldBase + 1));
  }

  // eslint-disable-next-line complexity -- One short case for each kind of step.
  async change(step: Step): Promise<Change> {
    const { id: spaceId } = this.space;
    const actor = this.#actor('d');
    const content = (bytes: number) => (
      { sizeBytes: bytes, manifest: Buffer.from([bytes]), checksums: '' });
    const file = (at: number, bytes: number) => ({
      op: 'put-file' as const, spaceId, parentId: this.node(at), name: parseName(`f${at % 3}`),
      content: content(bytes), modifiedAt: undefined, actor,
    });
    switch (step.op) {
      case 'put': return file(step.at, step.bytes);
      case 'folder': return {
        op: 'make-folder', spaceId, parentId: this.node(step.at), name: parseName('g'), actor,
      };
      case 'delete': return { op: 'delete', spaceId, nodeId: this.node(step.at), actor };
      case 'lock': return {
        op: 'add-lock', actor: { ...actor, user: parseUserId('ben') }, lock: {
          token: `t${this.#at}`, spaceId, nodeId: this.node(step.at), scope: 'exclusive',
          depth: '0', ownerXml: '', holder: parseUserId('ben'), expiresAt: this.#at + 50,
        },
      };
      case 'open': return {
        op: 'open-quarantine', spaceId, deviceKey: step.device, actor: this.#actor(step.device),
      };
      case 'hold': {
        const first = this.node(step.file ?? step.deleted[0] ?? 0);
        const quarantineId = this.#quarantine(step.which);
        const held = (await this.store.listHeld(quarantineId, 1_000))
          .find(({ nodeId }) => nodeId === first);
        const tree = (await this.store.findChain(spaceId, first))?.at(-1);
        const expect = step.expects === 'absent' ? step.expects : {
          nodeId: first, mark: step.expects === 'held' ? -(held?.id ?? 0) : tree?.mark ?? 0,
        };
        return {
          op: 'hold', spaceId, quarantineId, actor,
          deleted: step.deleted.map((at) => this.node(at)),
          released: step.released.map((at) => this.node(at)),
          ...(step.file !== null && { file: {
            nodeId: first, content: content(step.bytes), modifiedAt: undefined,
          } }),
          ...(step.expects !== 'nothing' && { expect }),
        };
      }
      case 'decide': return {
        op: 'decide-quarantine', spaceId, quarantineId: this.#quarantine(step.which),
        decision: step.decision, actor,
      };
      case 'make': {
        const heldId = this.#held(step.held);
        return step.bytes % 2 === 0 ? { ...file(step.at, step.bytes), heldId }
          : { op: 'delete', spaceId, nodeId: this.node(step.at), heldId, actor };
      }
      case 'drop': return {
        op: 'drop-held', spaceId, quarantineId: this.#quarantine(step.which),
        heldIds: [this.#held(step.held)],
      };
      default: return {
        op: 'end-keep', spaceId, quarantineId: this.#quarantine(step.which), doneCount: 1,
        skippedCount: 2, at: this.#at,
      };
    }
  }

  async run(step: Step): Promise<unknown> {
    const change = await this.change(step);
    try {
      const { node, count, ...result } = await this.store.commit(change);
      if (node !== undefined && !this.nodes.includes(node.id)) this.nodes.push(node.id);
      if (step.op === 'open' && !this.quarantines.includes(count)) this.quarantines.push(count);
      const held = change.op === 'hold'
        ? change.deleted.length + (change.file === undefined ? 0 : 1) : 0;
      if (held > 0) this.#heldLast = count + held - 1;
      const base = step.op === 'hold' ? this.#heldBase
        : step.op === 'open' ? this.quarantines[0] ?? 0
          : step.op === 'decide' && count > 0 ? this.#batchBase : 0;
      return { ...result, count: count - base };
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      return `${error.kind} ${error.code}`;
    }
  }

  async whole(): Promise<unknown> {
    const { store, space: { id: spaceId } } = this;
    const [first = 0] = this.quarantines;
    const quarantines = await Promise.all(this.quarantines.map(async (id) => {
      const found = await store.findQuarantine(id);
      const held = await Promise.all((await store.listHeld(id, 1_000)).map(async (each) => {
        const content = each.kind === 'deleted' ? undefined
          : await store.getVersion(spaceId, each.nodeId, -each.id);
        return {
          ...each, id: each.id - this.#heldBase, quarantineId: id - first,
          nodeId: this.nodes.indexOf(each.nodeId), parentId: this.nodes.indexOf(each.parentId),
          bytes: content && Buffer.from(content.manifest).toString('hex'), by: content?.savedBy,
        };
      }));
      const batchId = found?.batchId === undefined ? undefined : found.batchId - this.#batchBase;
      return { ...found, id: id - first, spaceId: 0, batchId, held };
    }));
    const open = await store.listQuarantines({ state: 'open' }, 1_000);
    const behind = { kind: 'held', heldId: this.#heldBase - 1 } as const;
    const manifests = await store.listManifests(1_000, behind);
    const batches = await store.listBatches({ spaceId }, 100);
    return {
      quarantines, usage: await store.readUsage(spaceId, this.#at),
      open: open.filter((each) => each.spaceId === spaceId).map(({ id }) => id - first),
      manifests: manifests.flatMap(({ place, manifest }) => (place.kind !== 'held' ? []
        : [[place.heldId - this.#heldBase, Buffer.from(manifest).toString('hex')]])),
      batches: batches.map(({ id, kind, state, skippedCount }) =>
        [id - this.#batchBase, kind, state, skippedCount]),
    };
  }
}

const folder = mkdtempSync(join(tmpdir(), 'holdfast-holds-'));
let sqlite: SqliteMetadataStore;
before(async () => {
  sqlite = await SqliteMetadataStore.open({ file: join(folder, 'm.db'), create: true });
});
after(async () => {
  await sqlite.close();
  rmSync(folder, { recursive: true, force: true });
});

it('quarantines on SQLite answer and hold what those of the model do', async () => {
  const reached = new Set<string>();
  let runs = 0;
  const same = fc.asyncProperty(fc.array(STEP, { maxLength: 40, size: 'max' }), async (tape) => {
    runs += 1;
    const wanted = {
      tenant: DEFAULT_TENANT, owner: parseUserId(`user${runs}`), casePolicy: 'sensitive',
      quotaBytes: 25, at: NOON,
    } as const;
    const memory = new MemoryMetadataStore();
    const model = new Side(memory, await memory.ensureSpace(wanted));
    const ours = new Side(sqlite, await sqlite.ensureSpace(wanted));
    for (const side of [ours, model]) await side.begin();
    for (const step of tape) {
      const found = await ours.run(step);
      assert.deepEqual(found, await model.run(step), step.op);
      reached.add(typeof found === 'string' ? found : `done ${step.op}`);
    }
    assert.deepEqual(await ours.whole(), await model.whole());
  });
  const missed = (): string[] => REACHED.filter((each) => !reached.has(each));
  // What the tapes reach is luck: go on until all of it was, but not for ever.
  for (let more = 0; more < 20 && (more === 0 || missed().length > 0); more += 1) {
    await fc.assert(same, { numRuns: 40 });
  }
  assert.deepEqual(missed(), [], 'what the work never reached');
});
