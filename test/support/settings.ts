/** What the tests take from the environment: the one place under `test/` that reads it. */

function count(name: string, otherwise: number): number {
  const raw = process.env[name];
  if (raw === undefined || raw === '') return otherwise;
  const value = Number(raw);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`${name} must be a whole number above zero, but it is "${raw}".`);
}

function compiled(): { NODE_COMPILE_CACHE?: string } {
  const folder = process.env['NODE_COMPILE_CACHE'];
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}

export const settings = {
  /** The first of 500 ports for servers of this process; else a place of its own for most. */
  portFirst: count('TEST_PORTS', 14_000 + (process.pid % 12) * 500),
  /** How often the crash tests kill the server, over all of them. */
  crashCycles: count('HOLDFAST_CRASH_CYCLES', 320),
  /** Repeats the random choices of an earlier run of the crash tests. */
  crashSeed: count('HOLDFAST_CRASH_SEED', Math.trunc(performance.timeOrigin) % 1_000_000_000),
  /** How many histories a simulation plays. */
  simulationSeeds: count('HOLDFAST_SIMULATION_SEEDS', 10),
  /** How much is uploaded in one piece while memory is watched. */
  largeUploadBytes: count('HOLDFAST_LARGE_UPLOAD_MIB', 1024) * 1024 * 1024,
  /** How many random histories of the store are played, and from which seed on. */
  simulationHistories: count('HOLDFAST_SIMULATION_HISTORIES', 2000),
  simulationSeed: count('HOLDFAST_SIMULATION_SEED', 1),
  /** A file with the tape of one history: only that is played. */
  simulationTape: process.env['HOLDFAST_SIMULATION_TAPE'],
  /** While erasure sets are made, mended and ended, one call to a disk in so many is the last. */
  erasureCrashEvery: count('HOLDFAST_ERASURE_CRASH_EVERY', 11),
  /** How many random lives a store with erasure sets lives. */
  erasureHistories: count('HOLDFAST_ERASURE_HISTORIES', 24),
  /** Up to how many writes a power cut may leave out or keep, in crash states that are counted. */
  crashStateWrites: count('HOLDFAST_CRASH_STATE_WRITES', 2),
  /** How long the workloads are of which every order of operations is tried. */
  crashStateOperations: count('HOLDFAST_CRASH_STATE_OPERATIONS', 3),
  /** The environment that programs under test inherit. Compiled code is kept where the runner of
   *  the tests says, which halves the work of a start. */
  inherited: {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin', LANG: 'C.UTF-8', ...compiled(),
  },
} as const;
