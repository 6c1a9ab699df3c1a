/**
 * Proves the verifiers: plants one fault after the other in copies of a canary and demands that
 * each is found by exactly those who must find it, that it is repaired where there is a second
 * copy, and that nothing healthy is touched. A verifier that was never seen to find anything
 * verifies nothing.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ManualClock } from '../../../platform/index.ts';
import type { Finding } from '../finding.ts';
import { repairVolume } from '../repair-volume.ts';
import type { CanaryBackends } from './canary-backends.ts';
import { mapVolume } from './canary-map.ts';
import type { MappedVolume } from './canary-map.ts';
import { CANARY_EPOCH_MS, copyCanary, fingerprints, makeCanary, pathsIn } from './canary.ts';
import type { Canary } from './canary.ts';
import { verifyCanary } from './canary-verifiers.ts';
import type { CanaryRun } from './canary-verifiers.ts';
import { FAULTS } from './fault-table.ts';
import type { Expected, Fault } from './fault-table.ts';
import { Planting } from './planting.ts';

export interface ProofLine {
  /** Where the canary's metadata was: see CanaryMetadata. */
  metadata: string;
  fault: string;
  /** `verifier: kinds`, in the order of the verifiers' names. */
  expected: string[];
  found: string[];
  /** `-`: there is nothing from which it could be repaired here. */
  repair: 'repaired' | 'not repaired' | '-';
  /** What is not as it must be; empty: proved. */
  complaints: string[];
}

export interface Proof {
  lines: ProofLine[];
  isProved: boolean;
}

export interface ProveOptions {
  /** Scratch space, made and removed again. Nothing else of the data directory is touched. */
  directory: string;
  backends: CanaryBackends;
  signal: AbortSignal;
  onLine?: (line: ProofLine) => void;
  /** Only faults of this number in the table; for tests. */
  faults?: readonly Fault[];
}

/** @throws the signal's reason; whatever keeps the canary from being made. */
export async function proveVerifiers(options: ProveOptions): Promise<Proof> {
  const { directory, backends, signal, onLine, faults = FAULTS } = options;
  const { metadata } = backends;
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  try {
    await metadata.begin();
    const canary = await makeCanary(join(directory, 'canary'), backends);
    const clock = new ManualClock(CANARY_EPOCH_MS);
    const volumes = await mapAll(canary, backends);
    // What the verifiers noted of the healthy store comes along into each copy.
    const wrapDisk = (disk: Parameters<Planting['wrapDisk']>[0]) => disk;
    const clean = await verifyCanary({ canary, backends, clock, holds: new Set(), wrapDisk });
    const first = healthyLine(metadata.name, clean);
    onLine?.(first);
    const waiting = [...faults.entries()];
    const lines: ProofLine[] = [];
    const lane = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        signal.throwIfAborted();
        const [number, fault] = next;
        const at = join(directory, `fault-${number}`);
        const copy = await copyCanary(canary, at, backends);
        const own = new ManualClock(clock.now());
        const planting = new Planting({ canary: copy, backends, clock: own, volumes });
        const line = await proveOne(fault, planting);
        lines[number] = line;
        onLine?.(line);
        await metadata.drop(pathsIn(at).metadata);
        await rm(at, { recursive: true, force: true });
      }
    };
    await allOf(Array.from({ length: metadata.laneCount }, lane));
    const all = [first, ...lines];
    return { lines: all, isProved: all.every(({ complaints }) => complaints.length === 0) };
  } finally {
    await rm(directory, { recursive: true, force: true });
    await metadata.end();
  }
}

/** Waits for all, also when one fails: nobody may work in a folder that is being removed. */
async function allOf(works: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(works);
  await Promise.all(works);
}

async function mapAll(canary: Canary, backends: CanaryBackends): Promise<MappedVolume[]> {
  const files = backends.openFolder(pathsIn(canary.directory).diskA);
  const volumes: MappedVolume[] = [];
  for (const name of canary.volumeNames.toSorted()) volumes.push(await mapVolume(files, name));
  return volumes;
}

function healthyLine(metadata: string, { open, idle }: CanaryRun): ProofLine {
  const complaints = foundBy(open).map((found) => `false alarm: ${found}`);
  for (const id of idle) complaints.push(`${id} had nothing to do: it proves nothing here`);
  return {
    metadata, fault: 'the canary before any fault', expected: [], found: foundBy(open),
    repair: '-', complaints,
  };
}

async function proveOne(fault: Fault, planting: Planting): Promise<ProofLine> {
  const { canary, backends, clock, holds } = planting;
  const sound = await fingerprints(canary.directory, backends);
  await fault.plant(planting);
  const planted = await fingerprints(canary.directory, backends);
  const setting = { canary, backends, clock, holds, wrapDisk: planting.wrapDisk };
  const run = await verifyCanary(setting);
  const complaints = [
    ...compareFindings(fault.expected, run.open),
    ...compareFiles(
      planted, await fingerprints(canary.directory, backends), 'verifying changed'),
    ...compareProposals(fault.proposes?.(planting), run),
  ];
  const line: ProofLine = {
    metadata: backends.metadata.name,
    fault: fault.name, expected: listed(fault.expected), found: foundBy(run.open),
    repair: '-', complaints,
  };
  if (fault.repair === undefined && fault.aside === undefined) return line;
  for (const { disk, name } of fault.aside?.(planting) ?? []) {
    await planting.rename(disk, { name }, `${name}.aside`);
  }
  await repairAll(fault.repair?.(planting) ?? [], planting);
  const after = await verifyCanary(setting);
  const left = [
    ...foundBy(after.open).map((found) => `still open after the repair: ${found}`),
    ...compareFiles(
      sound, await fingerprints(canary.directory, backends), 'not as before the fault'),
  ];
  complaints.push(...left);
  return { ...line, repair: left.length === 0 ? 'repaired' : 'not repaired' };
}

async function repairAll(
  wanted: readonly { disk: 'disk-a' | 'disk-b'; name: string }[], planting: Planting,
): Promise<void> {
  const { canary, backends, clock } = planting;
  const paths = pathsIn(canary.directory);
  const folders = {
    'disk-a': backends.openFolder(paths.diskA), 'disk-b': backends.openFolder(paths.diskB),
  };
  const source = backends.metadata.openSource(paths.metadata);
  const marks = await source.marks();
  await source.close();
  for (const { disk, name } of wanted) {
    const other = disk === 'disk-a' ? 'disk-b' : 'disk-a';
    const volumeId = planting.volumes.find((volume) => volume.name === name)?.head.volumeId ?? 0;
    await repairVolume({
      name, stamp: String(clock.now()), markEnd: marks.get(volumeId) ?? 0,
      bad: { id: disk, files: folders[disk] }, good: { id: other, files: folders[other] },
      pace: { budget: undefined, signal: new AbortController().signal },
    });
  }
}

function compareFindings(expected: Expected, open: readonly Finding[]): string[] {
  const wanted = new Set(listed(expected));
  const found = new Set(foundBy(open));
  return [
    ...[...wanted].filter((line) => !found.has(line)).map((line) => `not found by ${line}`),
    ...[...found].filter((line) => !wanted.has(line)).map((line) => `unexpected: ${line}`),
  ];
}

function listed(expected: Expected): string[] {
  return Object.entries(expected)
    .map(([verifier, kinds]) => `${verifier}: ${[...kinds].sort().join(', ')}`).sort();
}

function foundBy(open: readonly Finding[]): string[] {
  const kinds = new Map<string, Set<string>>();
  for (const { verifier, kind } of open) {
    kinds.set(verifier, (kinds.get(verifier) ?? new Set()).add(kind));
  }
  return [...kinds].map(([verifier, set]) => `${verifier}: ${[...set].sort().join(', ')}`).sort();
}

/** What was put aside by a repair may be new. */
function compareFiles(
  before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>, what: string,
): string[] {
  const complaints: string[] = [];
  for (const [name, print] of before) {
    if (after.get(name) !== print) complaints.push(`${what}: ${name}`);
  }
  return complaints;
}

function compareProposals(wanted: readonly string[] | undefined, run: CanaryRun): string[] {
  if (wanted === undefined) return [];
  const proposed = new Set(run.proposed.map(({ id }) => id));
  const isSame = proposed.size === wanted.length && wanted.every((id) => proposed.has(id));
  return isSame ? [] : ['the orphans that were proposed are not those that were planted'];
}
