/**
 * Replays the journal of each space from its first event into an empty model and compares that with
 * the tree that users see: every change must be in the journal, and every event must have had its
 * effect. Folders must be as big as their files, for by that quotas are counted. Then some folders
 * are compared as they were at revisions chosen by chance: the past is shown from the same tables.
 *
 * The model lies in a scratch of its own, so a journal of any length is audited with little memory.
 */
import { hash } from 'node:crypto';
import type { Clock } from '../../platform/index.ts';
import type { Budget } from './budget.ts';
import { readStatus, RECHECK_AT } from './coverage.ts';
import type { FindingDesk } from './finding-desk.ts';
import type { FindingKind } from './finding.ts';
import { JournalReplay } from './journal-replay.ts';
import type { JournalScratch, ReplayedNode } from './journal-scratch.ts';
import type { JournalSource, JournalSpace, ShownNode } from './journal-source.ts';
import type { Soon } from './manifest-source.ts';
import { TRAITS } from './verifier.ts';
import type { RunOptions, RunOutcome, Verifier, VerifierStatus } from './verifier.ts';
import type { VerifyStore } from './verify-store.ts';

export interface JournalAuditorParts {
  source: JournalSource;
  store: VerifyStore;
  desk: FindingDesk;
  clock: Clock;
  cycleMs?: number;
}

const ID = 'journal-auditor';
const PAGE = 500;
/** So many revisions of the past, and folders of each, are compared in one audit. */
const PAST_REVISIONS = 16;
const PAST_FOLDERS = 16;
/** A change may come between reading journal and tree: then both are read again. */
const TRIES_MAX = 3;
const TOLD_MAX = 16;

/** By space. */
interface Replays {
  readonly scratch: JournalScratch;
  readonly bySpace: Map<number, JournalReplay>;
}

/** A folder as it was at a revision. */
interface PastPlace {
  folderId: number;
  rev: number;
}

/** Kept of a space between audits. */
interface Resume {
  /** Where the past was wrong: looked at again, since chance would not come back there. */
  wrong: PastPlace[];
}

interface Audit {
  space: JournalSpace;
  again: readonly PastPlace[];
  begunMs: number;
  asOf: boolean;
}

interface Problem {
  kind: FindingKind;
  where: string;
  past?: PastPlace[];
}

interface Pace {
  budget: Budget;
  signal: AbortSignal;
}

export class JournalAuditor implements Verifier {
  readonly id = ID;
  readonly unit = TRAITS[ID].unit;
  readonly cycleMs: number;
  readonly #parts: JournalAuditorParts;

  constructor(parts: JournalAuditorParts) {
    this.#parts = parts;
    this.cycleMs = parts.cycleMs ?? TRAITS[ID].cycleMs;
  }

  status(): VerifierStatus {
    const { store, clock } = this.#parts;
    return readStatus(store, ID, { nowMs: clock.now(), cycleMs: this.cycleMs });
  }

  async run(budget: Budget, signal: AbortSignal, options: RunOptions = {}): Promise<RunOutcome> {
    const { source, store, desk, clock } = this.#parts;
    const outcome: RunOutcome = { result: 'checked', checked: 0, reports: 0 };
    const names = new Map((await source.spaces()).map((id) => [`space ${id}`, id]));
    for (const { name } of store.listUnits(ID)) if (!names.has(name)) desk.forget(ID, name);
    for (const [name, id] of names) {
      const checkedMs = store.findUnit(ID, name)?.checkedMs;
      const age = clock.now() - (checkedMs ?? 0);
      const isDue = checkedMs === undefined || age >= this.cycleMs * RECHECK_AT;
      if (!isDue && options.everything !== true) continue;
      const { checked, reports } = await this.#audit({ id, name }, { budget, signal });
      outcome.checked += checked;
      outcome.reports += reports;
      options.onProgress?.(outcome.checked, undefined);
    }
    if (names.size > 0) return outcome;
    return { ...outcome, result: 'nothing-to-do', reason: 'nobody has a space yet' };
  }

  async #audit(
    { id, name }: { id: number; name: string }, pace: Pace,
  ): Promise<{ checked: number; reports: number }> {
    const { source, store, desk, clock } = this.#parts;
    const begunMs = clock.now();
    const known = store.findUnit(ID, name);
    const again = (known?.resume as Resume | undefined)?.wrong ?? [];
    const scratch = source.openScratch();
    const replays: Replays = { scratch, bySpace: new Map() };
    try {
      for (let attempt = 1; attempt <= TRIES_MAX; attempt++) {
        const space = await source.space(id);
        if (space === undefined) return { checked: 0, reports: 0 };
        const asOf = attempt === TRIES_MAX;
        const problems = await this.#compare({ space, again, begunMs, asOf }, replays, pace);
        if (problems === 'changed') continue;
        const told = problems.slice(0, TOLD_MAX);
        for (const { kind, where } of told) {
          desk.report({ verifier: ID, kind, scope: name, where: `${name}, ${where}` });
        }
        desk.settle(ID, begunMs, name);
        const resume: Resume = { wrong: told.flatMap(({ past = [] }) => past) };
        store.putUnit(ID, {
          name, size: space.rev, checked: space.rev, checkedMs: begunMs, waitingSinceMs: undefined,
          resume,
        });
        return { checked: space.rev, reports: problems.length };
      }
    } finally {
      scratch.close();
    }
    const size = (await source.space(id))?.rev ?? 0;
    const waitingSinceMs = known?.waitingSinceMs ?? begunMs;
    const base = known ?? { name, checked: 0, checkedMs: undefined, resume: undefined };
    store.putUnit(ID, { ...base, size, waitingSinceMs });
    return { checked: 0, reports: 0 };
  }

  /** `changed`: what was read belongs to different moments and says nothing. With `asOf` that
   *  cannot be, in a space that users never leave alone: the tree is read as it was at the
   *  revision, and figures of folders, which are not kept for the past, are left out. */
  async #compare(audit: Audit, replays: Replays, pace: Pace): Promise<Problem[] | 'changed'> {
    const { source } = this.#parts;
    const { space, asOf } = audit;
    const replay = await this.#replayTo(replays, { spaceId: space.id, rev: space.rev }, pace);
    if (replay === undefined) return 'changed';
    const isStill = async (): Promise<boolean> =>
      asOf || (await source.space(space.id))?.rev === space.rev;
    const gaps = replay.broken.map((rev): Problem => (
      { kind: 'journal-gap', where: `revision ${rev}` }));
    if (gaps.length > 0) return await isStill() ? gaps : 'changed';
    const problems = await this.#compareTrees(audit, { replay, scratch: replays.scratch }, pace);
    if (!await isStill()) return 'changed';
    return [...problems, ...await this.#comparePast(audit, replay, pace)];
  }

  /** The journal of a space up to a revision, and of all spaces that it was copied from. Those are
   *  asked for revisions of before the copy, so it never goes round in a circle. Undefined: there
   *  is no such space. */
  async #replayTo(
    replays: Replays, { spaceId, rev }: { spaceId: number; rev: number }, pace: Pace,
  ): Promise<JournalReplay | undefined> {
    const { source } = this.#parts;
    const space = await source.space(spaceId);
    if (space === undefined) return undefined;
    const { scratch, bySpace } = replays;
    const replay = bySpace.get(spaceId) ?? new JournalReplay(space, scratch);
    bySpace.set(spaceId, replay);
    const pause = (count: number): Promise<void> => pace.budget.take(count, pace.signal);
    while (replay.rev < rev && replay.broken.length === 0) {
      await pause(PAGE);
      const events = await source.events(spaceId, replay.rev, PAGE);
      if (events.length === 0) replay.broken.push(replay.rev + 1);
      for (const event of events) {
        if (event.rev > rev) break;
        const { across, rev: fromRev = 0 } = event.copiedFrom ?? {};
        const from = across && { spaceId: across.spaceId, rev: fromRev };
        const origin = from && await this.#replayTo(replays, from, pace);
        await replay.apply(event, { pause, ...(origin !== undefined && { origin }) });
      }
    }
    return replay;
  }

  async #compareTrees(
    { space, asOf }: Audit,
    { replay, scratch }: { replay: JournalReplay; scratch: JournalScratch }, pace: Pace,
  ): Promise<Problem[]> {
    const { source } = this.#parts;
    const problems: Problem[] = [];
    scratch.forgetFolders();
    const saidBytes = await source.folderBytes(space.id, space.rootId) ?? 0;
    let count = scratch.pushFolder({ id: space.rootId, parent: 0, saidBytes });
    // Grows while it is walked: folders come behind the one that holds them.
    for (let number = 1; number <= count; number++) {
      const folderId = scratch.findFolder(number)?.id ?? 0;
      const wrong = await compareMembers({
        shown: (page) => (asOf
          ? source.membersAt(space.id, { folderId, rev: space.rev, ...page })
          : source.members(space.id, { folderId, ...page })),
        wanted: (page) => replay.membersAt(folderId, { rev: space.rev, ...page }),
        see: ({ id, isFolder, sizeBytes }) => {
          if (isFolder) {
            count = scratch.pushFolder({ id, parent: number, saidBytes: sizeBytes });
          } else scratch.addBytes(number, sizeBytes);
        },
      }, pace);
      for (const id of wrong) note(problems, { kind: 'tree-differs', where: `node ${id}` });
    }
    if (asOf) return problems;
    // From the deepest up: a folder comes behind the one that holds it.
    for (let number = count; number > 0; number -= PAGE) {
      await pace.budget.take(PAGE, pace.signal);
      for (const id of scratch.sumFolders(number, PAGE)) {
        note(problems, { kind: 'size-sum-differs', where: `node ${id}` });
      }
    }
    return problems;
  }

  async #comparePast(
    { space, again, begunMs }: Audit, replay: JournalReplay, pace: Pace,
  ): Promise<Problem[]> {
    const { source } = this.#parts;
    const problems: Problem[] = [];
    const floor = await source.pastFloor(space.id);
    const places = [...again, ...chosenPlaces(space, { floor, begunMs, replay })];
    for (const place of places) {
      const { folderId, rev } = place;
      if (rev < floor || rev > space.rev) continue;
      const wrong = await compareMembers({
        shown: (page) => source.membersAt(space.id, { folderId, rev, ...page }),
        wanted: (page) => replay.membersAt(folderId, { rev, ...page }),
        see: () => undefined,
      }, pace);
      if (wrong.length === 0) continue;
      const where = `node ${folderId} at revision ${rev}`;
      note(problems, { kind: 'past-differs', where, past: [place] });
    }
    // Meanwhile the past may have been cut off behind us.
    const nowFloor = await source.pastFloor(space.id);
    return problems.filter(({ past }) => (past?.[0]?.rev ?? 0) >= nowFloor);
  }
}

/** Told of are few, so no more need be kept. */
function note(problems: Problem[], problem: Problem): void {
  if (problems.length < 2 * TOLD_MAX) problems.push(problem);
}

/** The root and some folders by chance, as they were at revisions by chance. */
function chosenPlaces(
  { id, rootId, rev: lastRev }: JournalSpace,
  { floor, begunMs, replay }: { floor: number; begunMs: number; replay: JournalReplay },
): PastPlace[] {
  const places: PastPlace[] = [];
  const first = Math.max(1, floor);
  if (first > lastRev) return places;
  const chance = (what: string, below: number): number => {
    const digest = hash('sha256', `${begunMs} ${id} ${what}`, 'buffer');
    return digest.readUIntBE(0, 6) % below;
  };
  const count = lastRev - first + 1;
  for (let turn = 0; turn < Math.min(count, PAST_REVISIONS); turn++) {
    const rev = first + (count <= PAST_REVISIONS ? turn : chance(`${turn}`, count));
    places.push({ folderId: rootId, rev });
    const seen = new Set<number>();
    for (let other = 0; other < PAST_FOLDERS; other++) {
      // Ids of a space lie close together, from its root on.
      const fromId = rootId + chance(`${turn} ${other}`, 2 * lastRev);
      const folderId = replay.folderAt(fromId, rev) ?? replay.folderAt(rootId, rev);
      if (folderId !== undefined && !seen.has(folderId)) places.push({ folderId, rev });
      if (folderId !== undefined) seen.add(folderId);
    }
  }
  return places;
}

interface Page {
  afterCanon: string;
  limit: number;
}

interface Sides {
  shown: (page: Page) => Soon<readonly ShownNode[]>;
  wanted: (page: Page) => readonly ReplayedNode[];
  /** Hears of every node that is shown. */
  see: (node: ShownNode) => void;
}

/** Puts two lists in the same order beside each other, a page of each at a time. Answers the ids of
 *  nodes that are not the same on both sides, few of them. */
async function compareMembers({ shown, wanted, see }: Sides, pace: Pace): Promise<number[]> {
  const wrong: number[] = [];
  const left = pagesOf(shown, pace);
  const right = pagesOf(wanted, pace);
  let [one, two] = [await left.next(), await right.next()];
  while (one.done !== true || two.done !== true) {
    const a = one.done === true ? undefined : one.value;
    const b = two.done === true ? undefined : two.value;
    const order = a === undefined ? 1 : b === undefined ? -1 : compareText(a.canon, b.canon);
    if (!isSameNode(a, b) && wrong.length < TOLD_MAX) wrong.push((order <= 0 ? a : b)?.id ?? 0);
    if (order <= 0) {
      if (a !== undefined) see(a);
      one = await left.next();
    }
    if (order >= 0) two = await right.next();
  }
  return wrong;
}

function isSameNode(a: ShownNode | undefined, b: ReplayedNode | undefined): boolean {
  return a !== undefined && b !== undefined && a.id === b.id && a.canon === b.canon
    && a.name === b.name && a.contentRev === b.contentRev && a.isFolder === b.isFolder;
}

async function* pagesOf<T extends { canon: string }>(
  read: (page: Page) => Soon<readonly T[]>, pace: Pace,
): AsyncGenerator<T, undefined> {
  for (let afterCanon = ''; ;) {
    await pace.budget.take(PAGE, pace.signal);
    const page = await read({ afterCanon, limit: PAGE });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return undefined;
    afterCanon = last.canon;
  }
}

/** By code points, as the tables are ordered: JavaScript compares halves of some of them. */
function compareText(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}
