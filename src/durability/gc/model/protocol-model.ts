/**
 * The protocol of garbage collection, as a model of one block: two people upload it, the collector
 * wants it gone, and the process may be killed between any two steps.
 *
 * The block first lies in a sealed volume, `old`, which has other garbage besides, so that it is
 * worth compacting. A second record of it may come to lie in a younger volume, `young`. What the
 * disk keeps is in `Disk`; everything else is memory, and gone after a crash.
 *
 * The rules that make it safe are listed in `RULES`. Each can be taken away by itself, and then the
 * exploration must find the history in which a block that somebody needs is lost: a rule that can
 * go without being missed is either no rule or a hole in this model.
 */
import type { Model } from './explore.ts';

export const RULES = [
  /** Uploads hold claims from before their first put until their commit was answered. */
  'claim',
  /** A block is condemned only if nobody touched it since the census began: compare and swap. */
  'compare-and-swap',
  /** A suspect is condemned only by a second census that does not meet it either. */
  'second-census',
  /** A put of a condemned block takes the condemnation back. */
  'revive',
  /** After a restart condemnations count only once a new census has confirmed them. */
  'confirm-after-restart',
  /** The compactor looks at the condemnation at the very moment at which it drops the block. */
  'check-at-drop',
  /** Who joins the parts of an upload claims their blocks, and only relies on those still there. */
  'claim-when-joining',
  /** A volume leaves only after the copies elsewhere of what it holds were read back. */
  'verify-before-leave',
  /** Who finds a bad record looks for another one of the same block in the older volumes. */
  'look-elsewhere',
  /** A trashed volume is unlinked only after two inspections. */
  'inspect',
] as const;
export type Rule = (typeof RULES)[number];

type UploaderAt = 'idle' | 'claimed' | 'stored' | 'answered';
type CensusAt = 'idle' | 'visit-first' | 'visit-second' | 'visit-third' | 'judge' | 'condemn';
type CompactorAt = 'idle' | 'copy' | 'verify' | 'drop' | 'leave';

/** What survives a crash. */
interface Disk {
  /** The part of an open upload refers to the block; a file of each uploader does. */
  part: boolean;
  fileOne: boolean;
  fileTwo: boolean;
  old: 'sealed' | 'trash' | 'gone';
  /** The record in the younger volume; a copy may turn out to be unreadable. */
  young: 'none' | 'bad' | 'good';
  /** Since which census the block is a suspect: this one or one at least a day ago. */
  suspect: 'no' | 'fresh' | 'aged';
  /** The collector's own note that it condemned the block. */
  condemnedNote: boolean;
  /** Inspections that the trashed volume has passed. */
  inspections: 0 | 1 | 2;
}

interface Memory {
  index: 'none' | 'old' | 'young';
  /** Met, put or claimed since the census began. */
  touched: boolean;
  condemned: boolean;
  one: UploaderAt;
  two: UploaderAt;
  /** Uploader two has read which parts there are, and is about to make a file of them. */
  joining: boolean;
  census: CensusAt;
  compactor: CompactorAt;
}

export type State = Disk & Memory;

const START: State = {
  part: false, fileOne: true, fileTwo: false, old: 'sealed', young: 'none',
  suspect: 'no', condemnedNote: false, inspections: 0,
  index: 'old', touched: false, condemned: false, one: 'idle', two: 'idle', joining: false,
  census: 'idle', compactor: 'idle',
};

type Step = readonly [name: string, next: State];
type Has = (rule: Rule) => boolean;

/** The protocol without the rules in `without`. */
export function protocolModel(...without: readonly Rule[]): Model<State> {
  const has: Has = (rule) => !without.includes(rule);
  return {
    initial: START,
    steps: (state) => [
      ...uploaderOne(state, has), ...uploaderTwo(state, has), ...joiner(state, has),
      ...people(state), ...census(state, has), ...compactor(state, has), ...inspector(state, has),
      ['crash', crashed(state, has)],
    ],
    broken: (state) => broken(state, has),
    isGoal: (state) => state.old === 'gone' && !isReferred(state) && state.index === 'none',
    key: (state) => Object.values(state).join(),
  };
}

function isReferred({ part, fileOne, fileTwo }: State): boolean {
  return part || fileOne || fileTwo;
}

function isReadable({ index, old, young }: State, has: Has): boolean {
  if (index === 'young' && young === 'good') return true;
  return old === 'sealed' && (index === 'old' || (index === 'young' && has('look-elsewhere')));
}

function broken(state: State, has: Has): string | undefined {
  if (isReferred(state) && !isReadable(state, has)) return 'G1: a block in use cannot be read';
  const { old, index, inspections } = state;
  if (old === 'gone' && inspections < 2) return 'G2: unlinked without two inspections';
  if (old !== 'sealed' && index === 'old') return 'G3: the index names a record that is gone';
  return undefined;
}

/** From here on the census counts the block as met; a condemnation is taken back. */
function touch(state: State, has: Has): State {
  return { ...state, touched: true, condemned: state.condemned && !has('revive') };
}

/** A block that is known is answered at once. */
function put(state: State, has: Has): State {
  if (state.index !== 'none') return touch(state, has);
  return { ...state, index: 'young', young: 'good', touched: true, condemned: false };
}

/** A whole file in one request. */
function* uploaderOne(state: State, has: Has): Generator<Step> {
  switch (state.one) {
    case 'idle': yield ['one claims', { ...state, one: 'claimed' }]; break;
    case 'claimed': yield ['one puts', { ...put(state, has), one: 'stored' }]; break;
    case 'stored':
      yield ['one commits', { ...state, fileOne: true, one: 'answered' }];
      yield ['one gives up', { ...state, one: 'idle' }];
      break;
    case 'answered': yield ['one releases', { ...state, one: 'idle' }];
  }
}

/** Parts of an upload: each is referred to by the upload until the file takes its place. */
function* uploaderTwo(state: State, has: Has): Generator<Step> {
  switch (state.two) {
    case 'idle': yield ['two claims', { ...state, two: 'claimed' }]; break;
    case 'claimed': yield ['two puts a part', { ...put(state, has), two: 'stored' }]; break;
    case 'stored': yield ['two commits a part', { ...state, part: true, two: 'answered' }]; break;
    case 'answered': yield ['two releases', { ...state, two: 'idle' }];
  }
}

/** Makes a file of what the upload's parts were a moment ago: a part may be replaced meanwhile. */
function* joiner(state: State, has: Has): Generator<Step> {
  if (!state.joining) {
    if (!state.part) return;
    const claimed = has('claim-when-joining') ? touch(state, has) : state;
    if (state.index !== 'none') yield ['the parts are read', { ...claimed, joining: true }];
    return;
  }
  yield ['the part is replaced', { ...state, part: false }];
  yield ['the file is committed', { ...state, part: false, fileTwo: true, joining: false }];
  yield ['the join fails', { ...state, joining: false }];
}

function* people(state: State): Generator<Step> {
  if (state.fileOne) yield ['file one is purged', { ...state, fileOne: false }];
  if (state.fileTwo) yield ['file two is purged', { ...state, fileTwo: false }];
  // The commit of a join asks whether the upload is still there, so it fails then.
  if (state.part) yield ['the upload expires', { ...state, part: false, joining: false }];
  if (state.suspect === 'fresh') yield ['a day passes', { ...state, suspect: 'aged' }];
}

/** Visits one place after the other; files before the upload, though references move the other
 *  way: claims must be enough. */
function* census(state: State, has: Has): Generator<Step> {
  const visit = (met: boolean, next: CensusAt): Step =>
    [`census: ${next} is next`, { ...state, touched: state.touched || met, census: next }];
  switch (state.census) {
    case 'idle':
      yield ['census begins', { ...state, touched: isClaimed(state, has), census: 'visit-first' }];
      if (!has('second-census') && state.suspect === 'aged' && state.index !== 'none') {
        yield ['condemned for its age', { ...state, condemned: true, condemnedNote: true }];
      }
      break;
    case 'visit-first': yield visit(state.fileTwo, 'visit-second'); break;
    case 'visit-second': yield visit(state.fileOne, 'visit-third'); break;
    case 'visit-third': yield visit(state.part, 'judge'); break;
    case 'judge': yield judge(state); break;
    case 'condemn': yield condemn(state, has);
  }
}

function isClaimed({ one, two, joining }: State, has: Has): boolean {
  const byUpload = one !== 'idle' || two !== 'idle';
  return (has('claim') && byUpload) || (has('claim-when-joining') && joining);
}

function judge(state: State): Step {
  if (state.touched || state.index === 'none') {
    const innocent = { suspect: 'no', condemned: false, condemnedNote: false } as const;
    return ['census acquits', { ...state, ...innocent, census: 'idle' }];
  }
  if (state.suspect === 'aged') return ['census agrees', { ...state, census: 'condemn' }];
  return ['census suspects', { ...state, suspect: 'fresh', census: 'idle' }];
}

/** Since the verdict was found others have had their turn. */
function condemn(state: State, has: Has): Step {
  const stands = state.index !== 'none' && (!state.touched || !has('compare-and-swap'));
  if (!stands) return ['verdict withdrawn', { ...state, census: 'idle' }];
  return ['condemned', { ...state, condemned: true, condemnedNote: true, census: 'idle' }];
}

function* compactor(state: State, has: Has): Generator<Step> {
  const { index, condemned } = state;
  const to = (next: CompactorAt, change: Partial<State> = {}): State =>
    ({ ...state, ...change, compactor: next });
  switch (state.compactor) {
    case 'idle':
      if (state.old === 'sealed') yield ['compaction begins', to(firstDeed(state))];
      else if (index === 'young' && condemned) {
        yield ['the younger volume is compacted too', { ...forgotten(state), young: 'none' }];
      }
      break;
    case 'copy':
      yield ['copied', to('verify', { young: 'good' })];
      if (state.young === 'none') yield ['copied badly', to('verify', { young: 'bad' })];
      break;
    case 'verify':
      if (state.young === 'good') yield ['verified', to('leave', { index: 'young' })];
      else if (has('verify-before-leave')) {
        yield ['a bad copy is forgotten', to('idle', { young: 'none', index: 'old' })];
      } else yield ['not verified', to('leave', { index: 'young' })];
      break;
    case 'drop':
      // Between the plan and the deed others have had their turn.
      if (index === 'old' && (condemned || !has('check-at-drop'))) {
        yield ['dropped', { ...forgotten(state), compactor: 'leave' }];
      } else yield ['not dropped', to('idle')];
      break;
    case 'leave':
      if (index === 'old') yield ['not empty after all', to('idle')];
      else yield ['to the trash', to('idle', { old: 'trash' })];
  }
}

function firstDeed({ index, condemned }: State): CompactorAt {
  if (index === 'none') return 'leave';
  if (index === 'young') return 'verify';
  return condemned ? 'drop' : 'copy';
}

function forgotten(state: State): State {
  return { ...state, index: 'none', condemned: false, condemnedNote: false, suspect: 'no' };
}

function* inspector(state: State, has: Has): Generator<Step> {
  const { old, inspections } = state;
  if (old !== 'trash') return;
  const passes = isReadable(state, has) || !isReferred(state);
  if (passes && inspections === 0) yield ['inspected', { ...state, inspections: 1 }];
  if (passes && inspections === 1) yield ['inspected again', { ...state, inspections: 2 }];
  if (inspections === 2 || !has('inspect')) yield ['unlinked', { ...state, old: 'gone' }];
}

/** Memory is gone; the index is made anew from the volumes, and the younger record counts. */
function crashed(state: State, has: Has): State {
  const { part, fileOne, fileTwo, old, young, suspect, condemnedNote, inspections } = state;
  const index = young === 'none' ? (old === 'sealed' ? 'old' : 'none') : 'young';
  const condemned = condemnedNote && index !== 'none' && !has('confirm-after-restart');
  return {
    ...START, part, fileOne, fileTwo, old, young, suspect, condemnedNote, inspections, index,
    condemned,
  };
}
