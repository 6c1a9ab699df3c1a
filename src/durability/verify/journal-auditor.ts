/**
 * Replays the journal of each space from its first event and compares the result with the tree that
 * users see: every change must be in the journal, and every event must have had its effect. Folders
 * must be as big as their files, for by that quotas are counted.
 */
import type { Clock } from '../../platform/index.ts';
import type { Budget } from './budget.ts';
import { readStatus, RECHECK_AT } from './coverage.ts';
import type { FindingDesk } from './finding-desk.ts';
import type { FindingKind } from './finding.ts';
import { JournalReplay } from './journal-replay.ts';
import type { JournalSource, JournalSpace } from './journal-source.ts';
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
/** A larger tree is not held in memory: its clock stands still, for everybody to see. */
const ROWS_MAX = 500_000;
/** A change may come between reading journal and tree: then both are read again. */
const TRIES_MAX = 3;
const TOLD_MAX = 16;

/** By space. */
type Replays = Map<number, JournalReplay>;

interface Problem {
  kind: FindingKind;
  where: string;
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
    const names = new Map(source.spaces().map((id) => [`space ${id}`, id]));
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
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
      const space = source.space(id);
      if (space === undefined) return { checked: 0, reports: 0 };
      const problems = await this.#compare(space, pace);
      if (problems === 'too-large') break;
      if (problems === 'changed') continue;
      for (const { kind, where } of problems.slice(0, TOLD_MAX)) {
        desk.report({ verifier: ID, kind, scope: name, where: `${name}, ${where}` });
      }
      desk.settle(ID, begunMs, name);
      store.putUnit(ID, {
        name, size: space.rev, checked: space.rev, checkedMs: begunMs, waitingSinceMs: undefined,
        resume: undefined,
      });
      return { checked: space.rev, reports: problems.length };
    }
    const size = source.space(id)?.rev ?? 0;
    const waitingSinceMs = known?.waitingSinceMs ?? begunMs;
    const base = known ?? { name, checked: 0, checkedMs: undefined, resume: undefined };
    store.putUnit(ID, { ...base, size, waitingSinceMs });
    return { checked: 0, reports: 0 };
  }

  /** `changed`: what was read belongs to different moments and says nothing. */
  async #compare(space: JournalSpace, pace: Pace): Promise<Problem[] | 'changed' | 'too-large'> {
    const { source } = this.#parts;
    const replays: Replays = new Map();
    const replay = await this.#replayTo(replays, space.id, space.rev, pace);
    if (replay === 'too-large') return replay;
    if (replay === undefined) return 'changed';
    const gaps = replay.broken.map((rev): Problem => (
      { kind: 'journal-gap', where: `revision ${rev}` }));
    const problems = gaps.length > 0 ? gaps : await this.#compareTrees(space, replay, pace);
    return source.space(space.id)?.rev === space.rev ? problems : 'changed';
  }

  /** The journal of a space up to a revision, and of all spaces that it was copied from. Those are
   *  asked for revisions of before the copy, so it never goes round in a circle. Undefined: there
   *  is no such space. */
  async #replayTo(
    replays: Replays, spaceId: number, rev: number, pace: Pace,
  ): Promise<JournalReplay | 'too-large' | undefined> {
    const { source } = this.#parts;
    const space = source.space(spaceId);
    if (space === undefined) return undefined;
    const replay = replays.get(spaceId) ?? new JournalReplay(space);
    replays.set(spaceId, replay);
    while (replay.rev < rev && replay.broken.length === 0) {
      await pace.budget.take(PAGE, pace.signal);
      const events = source.events(spaceId, replay.rev, PAGE);
      if (events.length === 0) replay.broken.push(replay.rev + 1);
      for (const event of events) {
        if (event.rev > rev) break;
        const { across, rev: fromRev = 0 } = event.copiedFrom ?? {};
        const origin = across && await this.#replayTo(replays, across.spaceId, fromRev, pace);
        if (origin === 'too-large') return origin;
        replay.apply(event, origin);
      }
      const rowCount = [...replays.values()].reduce((sum, each) => sum + each.rowCount, 0);
      if (rowCount > ROWS_MAX) return 'too-large';
    }
    return replay;
  }

  async #compareTrees(
    space: JournalSpace, replay: JournalReplay, pace: Pace,
  ): Promise<Problem[]> {
    const problems: Problem[] = [];
    const folders: Folder[] = [{
      id: space.rootId, parent: undefined, fileBytes: 0,
      saidBytes: this.#parts.source.folderBytes(space.id, space.rootId) ?? 0,
    }];
    // Grows while it is walked: folders come behind the one that holds them.
    for (const folder of folders) {
      const wanted = replay.membersOf(folder.id);
      for (let afterCanon = ''; ;) {
        await pace.budget.take(PAGE, pace.signal);
        const page = { folderId: folder.id, afterCanon, limit: PAGE };
        const members = this.#parts.source.members(space.id, page);
        for (const shown of members) {
          const { id, name, isFolder, contentRev, sizeBytes } = shown;
          const node = wanted.get(id);
          const isSame = node?.name === name && node.contentRev === contentRev
            && node.isFolder === isFolder;
          if (!isSame) problems.push({ kind: 'tree-differs', where: `node ${id}` });
          wanted.delete(id);
          if (isFolder) folders.push({ id, parent: folder, fileBytes: 0, saidBytes: sizeBytes });
          else folder.fileBytes += sizeBytes;
        }
        const last = members.at(-1);
        if (last === undefined || members.length < PAGE) break;
        afterCanon = last.canon;
      }
      for (const id of wanted.keys()) problems.push({ kind: 'tree-differs', where: `node ${id}` });
      if (folders.length > ROWS_MAX) break;
    }
    return [...problems, ...wrongSums(folders)];
  }
}

interface Folder {
  id: number;
  parent: Folder | undefined;
  /** Of the files in it; in the end of those below it too. */
  fileBytes: number;
  saidBytes: number;
}

/** From the deepest up: a folder comes behind the one that holds it. */
function wrongSums(folders: readonly Folder[]): Problem[] {
  const problems: Problem[] = [];
  for (const { id, parent, fileBytes, saidBytes } of folders.toReversed()) {
    if (parent !== undefined) parent.fileBytes += fileBytes;
    if (fileBytes !== saidBytes) problems.push({ kind: 'size-sum-differs', where: `node ${id}` });
  }
  return problems;
}
