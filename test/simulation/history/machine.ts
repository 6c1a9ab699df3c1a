/** The disks of one history, what troubles them at the moment, and when the power goes. */
import { createHash } from 'node:crypto';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk, type Chance, type DiskCall, type Verdict }
  from '../disk/simulated-disk.ts';
import type { Deed, Setup } from './tape.ts';

const CAPACITY_BYTES = 1024 ** 2;
const SLOW_TURNS = 30;
const TOLD_MAX = 16 * 1024;

type Trouble = Extract<Deed, { do: 'trouble' }>;
type Stray = Extract<Deed, { do: 'stray' }>;

export class Machine {
  readonly disks: SimulatedDisk[];
  readonly away = new Set<number>();
  /** Disks whose bytes were harmed since the last time that all was found well. */
  readonly harmed = new Set<number>();
  wasEverHarmed = false;
  wasEverTroubled = false;
  /** True when a call was left without an answer since the program started. */
  hasHung = false;
  /** Calls to all disks together. */
  calls = 0;
  #stopAt = Infinity;
  #wasTroubled = false;
  #chance: SeededRandom = new SeededRandom(0);
  #troubles: Trouble[] = [];
  #strays: { disk: number; how: Stray['how']; left: number }[] = [];
  readonly #seen: Set<string>;
  readonly #trace = createHash('sha256');
  /** What is to be added to the trace: hashed a piece at a time. */
  #told = '';

  constructor({ disks }: Setup, seen: Set<string>) {
    this.#seen = seen;
    this.disks = Array.from({ length: disks }, (_, number) => new SimulatedDisk({
      onCall: (call) => this.#onCall(number, call),
      judge: (call) => this.#judge(number, call),
      chance: () => this.chance,
      note: (point) => seen.add(point),
    }));
    for (const disk of this.disks) disk.capacityBytes = CAPACITY_BYTES;
  }

  get chance(): Chance {
    const random = this.#chance;
    const below = (end: number): number => Math.floor(random.next() * end);
    return { next: () => random.next(), below };
  }

  /** Nothing is answered any more. */
  get isDown(): boolean {
    return this.calls >= this.#stopAt;
  }

  /** Is anything the matter just now? */
  get isTroubled(): boolean {
    const isTroubled = this.away.size > 0 || this.#troubles.length > 0 || this.harmed.size > 0
      || this.#strays.length > 0 || this.disks.some((disk) => disk.capacityBytes < CAPACITY_BYTES);
    this.#wasTroubled ||= isTroubled;
    return isTroubled;
  }

  /** Has anything been the matter since all was last found well? */
  get wasTroubled(): boolean {
    return this.isTroubled || this.#wasTroubled;
  }

  harm(disk: number): void {
    this.harmed.add(disk);
    this.wasEverHarmed = true;
  }

  /** `isHidden`: what was harmed lies where nobody looks yet, and is to be found later. */
  noteWell(isHidden: boolean): void {
    if (!isHidden) this.harmed.clear();
    this.#wasTroubled = false;
  }

  /** What is left to chance from here on depends on this alone. */
  reseed(seed: number): void {
    this.#chance = new SeededRandom(seed);
  }

  stopAfter(calls: number): void {
    this.#stopAt = this.calls + calls;
  }

  /** The machine runs again. */
  start(): void {
    this.#stopAt = Infinity;
    this.hasHung = false;
  }

  noteTrouble(): void {
    this.#wasTroubled = true;
  }

  trouble(trouble: Trouble): void {
    this.#wasTroubled = true;
    this.wasEverTroubled = true;
    this.#troubles.push(trouble);
  }

  stray({ disk, how, writes }: Stray): void {
    this.#strays.push({ disk, how, left: writes });
  }

  calm(): void {
    this.#wasTroubled ||= this.isTroubled;
    this.#troubles = [];
    this.#strays = [];
    this.away.clear();
    for (const disk of this.disks) disk.capacityBytes = CAPACITY_BYTES;
  }

  /** Of all calls and of what was noted: two runs of one tape have the same. */
  note(what: string): void {
    this.#told += `${what}\n`;
    if (this.#told.length >= TOLD_MAX) this.#hashTold();
  }

  #hashTold(): void {
    this.#trace.update(this.#told);
    this.#told = '';
  }

  traceHash(): string {
    this.#hashTold();
    return this.#trace.copy().digest('hex');
  }

  #onCall(number: number, { what, name }: DiskCall): boolean {
    if (this.isDown) return false;
    this.calls++;
    this.note(`${number} ${what} ${name}`);
    return true;
  }

  #judge(number: number, call: DiskCall): Verdict {
    if (this.away.has(number)) return { fail: 'ENODEV' };
    const stray = this.#strays.find((one) => one.disk === number && one.left > 0);
    if (stray !== undefined && call.what === 'write') {
      stray.left--;
      return stray.how;
    }
    const trouble = this.#troubles.find(({ disk, what, share }) =>
      disk === number && what === call.what && this.#chance.next() < share);
    if (trouble === undefined) return undefined;
    this.#seen.add(`${call.what} ${trouble.how}`);
    if (trouble.how === 'hang') this.hasHung = true;
    if (trouble.how === 'hang') return 'hang';
    return trouble.how === 'slow' ? { turns: SLOW_TURNS } : { fail: trouble.how };
  }
}
