/**
 * Settings that can be given several times, each time under a name, such as storage policies:
 * `storage.policies.cold.copies` is to the set `cold` what `storage.copies` is to the whole. Sets
 * stand in the file only: the environment cannot tell where a name ends.
 */
import { closest } from './closest.ts';
import type { Found } from './config.ts';
import type { Slice } from './setting.ts';

/** As many as anybody will ever tell apart. */
const SETS_MAX = 64;
const NAME = /^[a-z][a-z0-9_-]{0,31}$/;
/** What the settings outside of any set are called. */
const OWN = 'default';

export interface SettingSet {
  /** `storage.policies.cold`. */
  readonly place: string;
  readonly slices: readonly Slice[];
  /** By the keys of the settings themselves: `storage.copies`. */
  readonly given: Map<string, Found>;
}

export class SettingSets {
  readonly #slices: readonly Slice[];
  readonly #sets = new Map<string, SettingSet>();

  constructor(slices: readonly Slice[]) {
    this.#slices = slices.filter(({ sets }) => sets !== undefined);
  }

  owns(key: string): boolean {
    return this.#slices.some(({ sets }) => sets !== undefined && key.startsWith(`${sets.under}.`));
  }

  /** Answers what is wrong with it. */
  take(key: string, found: Found): string | undefined {
    const slices = this.#slices.filter(({ sets }) => key.startsWith(`${sets?.under}.`));
    const { under = '', of = '' } = slices[0]?.sets ?? {};
    const [name = '', ...rest] = key.slice(under.length + 1).split('.');
    if (name === OWN) return `${under}.${OWN} is [${of}] itself: set ${of}.${rest.join('.')}`;
    if (!NAME.test(name)) {
      return `${name} is no name: lower-case letters, digits, - and _, a letter first, 32 at most`;
    }
    const meant = `${of}.${rest.join('.')}`;
    const keys = slices.flatMap((slice) => Object.values(slice.settings).map((one) => one.key));
    if (!keys.includes(meant)) {
      const near = closest(meant, keys);
      const hint = near === undefined ? 'See docs/configuration.md.'
        : `Did you mean ${under}.${name}${near.slice(of.length)}?`;
      return `there is no such setting as ${key}. ${hint}`;
    }
    const place = `${under}.${name}`;
    if (!this.#sets.has(place) && this.#sets.size >= SETS_MAX) return `there can be ${SETS_MAX}`;
    const set = this.#sets.get(place) ?? { place, slices, given: new Map<string, Found>() };
    this.#sets.set(place, set);
    set.given.set(meant, found);
    return undefined;
  }

  all(): readonly SettingSet[] {
    return [...this.#sets.values()];
  }
}
