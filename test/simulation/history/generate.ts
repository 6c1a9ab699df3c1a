/** From a seed to a tape. Each history does without a random half of all kinds of deeds. */
import { SeededRandom } from '../../support/random.ts';
import { SETUPS, type Deed, type Restart, type Setup, type Step, type StepKind, type Tape }
  from './tape.ts';

const FILES = 8;
const STEPS = { min: 15, max: 45 };

/** How often each kind comes, where it is not left out. Uploads are never left out. */
const WEIGHTS: Readonly<Record<StepKind, number>> = {
  upload: 36, read: 6, remove: 10, collect: 10, restore: 4, sweep: 6, scrub: 3, wait: 9,
  trouble: 8, leave: 5, calm: 6, fill: 3, rot: 4, stray: 4, restart: 10, heal: 2,
};

export function generateTape(seed: number): Tape {
  const random = new SeededRandom(seed);
  const setup = makeSetup(random);
  const kinds = chooseKinds(random, setup);
  const count = random.between(STEPS.min, STEPS.max);
  const pauses = random.pick([[-1], [0, 2, 10, -1], [0, 1, 3, 30, 100]]);
  const steps: Step[] = [];
  for (let number = 0; number < count; number++) {
    const deed = makeDeed(pickKind(random, kinds), random, setup);
    steps.push({ ...deed, seed: random.between(1, 1e9), pause: random.pick(pauses) });
  }
  return { setup, steps };
}

function makeSetup(random: SeededRandom): Setup {
  return {
    ...random.pick(SETUPS),
    contents: random.pick([12, 40]),
    pageBytes: random.pick([8, 512, 4096]),
    volumeBytesMax: random.pick([12, 24]) * 1024,
    hintEveryBlocks: random.pick([3, 1_000_000]),
  };
}

/** Swarm: features that hide one another are seldom together in all histories. */
function chooseKinds(random: SeededRandom, { disks }: Setup): StepKind[] {
  const all = Object.keys(WEIGHTS) as StepKind[];
  const single: readonly StepKind[] = ['sweep', 'leave', 'rot', 'stray'];
  const usable = all.filter((kind) => disks > 1 || !single.includes(kind));
  return usable.filter((kind) => kind === 'upload' || random.next() < 0.5);
}

function pickKind(random: SeededRandom, kinds: readonly StepKind[]): StepKind {
  const sum = kinds.reduce((total, kind) => total + WEIGHTS[kind], 0);
  let left = random.between(1, sum);
  return kinds.find((kind) => (left -= WEIGHTS[kind]) <= 0) ?? 'upload';
}

function makeDeed(kind: StepKind, random: SeededRandom, { disks, contents }: Setup): Deed {
  const disk = random.between(0, disks - 1);
  const file = random.between(0, FILES - 1);
  switch (kind) {
    case 'upload': {
      const count = random.pick([1, 1, 2, 3, 8]);
      const blocks = Array.from({ length: count }, () => random.between(0, contents - 1));
      return { do: kind, file, blocks, dawdle: random.pick([0, 0, 5, 60, 400]) };
    }
    case 'collect':
      return { do: kind, runs: random.pick([1, 1, 2, 3, 20]) };
    case 'read':
    case 'remove':
      return { do: kind, file };
    case 'wait':
      return { do: kind, minutes: random.pick([1, 20, 26 * 60, 26 * 60, 15 * 24 * 60]) };
    case 'trouble': {
      const what = random.pick(
        ['write', 'sync', 'sync', 'rename', 'open', 'folder', 'read'] as const);
      const how = random.pick(['EIO', 'EIO', 'ENOSPC', 'hang', 'slow']);
      return { do: kind, disk, what, how, share: random.pick([0.05, 0.3, 1]) };
    }
    case 'leave':
      return { do: kind, disk };
    case 'fill':
      return { do: kind, disk, leftBytes: random.pick([0, 300, 3000]) };
    case 'rot': {
      const place = { where: random.next(), bit: random.between(0, 7) };
      return { do: kind, disk, kind: random.pick(['any', 'volume', 'small'] as const), ...place };
    }
    case 'stray': {
      const how = random.pick(['misdirect', 'lose'] as const);
      return { do: kind, disk, how, writes: random.pick([1, 3]) };
    }
    case 'restart':
      return makeRestart(random, disks);
    default:
      return { do: kind };
  }
}

function makeRestart(random: SeededRandom, disks: number): Deed {
  const how = random.pick<Restart>(['kill', 'power', 'power', 'close']);
  const calls = random.pick([0, random.between(1, 12), random.between(1, 150)]);
  const again: number[] = [];
  while (again.length < 3 && random.next() < 0.3) again.push(random.between(1, 60));
  const wiped = random.next() < 0.2 ? { wiped: random.between(0, disks - 1) } : {};
  const later = how !== 'close' && calls > 0 && random.next() < 0.7 ? { later: true as const } : {};
  return { do: 'restart', how, calls, again, ...later, ...wiped };
}
