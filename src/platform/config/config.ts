/**
 * The configuration: read once from defaults, file, environment and command line, in this order of
 * rising weight; checked as a whole; every mistake told at once; unknown keys refused.
 *
 * A misspelt key that is silently ignored is how a limit, a password or a replica count is not what
 * its operator believes it to be.
 */
import { parse as parseToml, TomlError } from 'smol-toml';
import { HoldfastError } from '../../base/errors.ts';
import { closest } from './closest.ts';
import { environmentName, SettingError } from './setting.ts';
import type { RawTable, RawValue, Setting, Settings, Slice, ValuesOf } from './setting.ts';
import { SettingSets } from './setting-sets.ts';
import { lineNumbers } from './toml-lines.ts';

export interface ConfigSources {
  readonly slices: readonly Slice[];
  /** The file's text and how to call it in messages. */
  readonly file?: { readonly text: string; readonly label: string };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** From the command line: key, value, and the flag it came by. */
  readonly flags?: readonly { readonly key: string; readonly value: string; flag: string }[];
}

export interface Mistake {
  /** `holdfast.toml line 3`, `HOLDFAST_LOG_LEVEL`, `--listen`. */
  readonly where: string;
  readonly problem: string;
}

export interface Found {
  readonly raw: RawValue;
  readonly where: string;
}

/** A setting as people see it. */
export interface ShownSetting {
  readonly key: string;
  /** As the file would spell it. */
  readonly value: string;
  /** `default`, or where it was said. */
  readonly source: string;
  readonly isSecret: boolean;
  readonly docs: string;
}

/** Environment variables of ours that are no settings. */
const ENV_RESERVED = ['HOLDFAST_CONFIG', 'HOLDFAST_NODE'];
const MASK = '********';

export class Config {
  readonly #values: ReadonlyMap<Setting<unknown>, unknown>;
  readonly #sources: ReadonlyMap<Setting<unknown>, string>;
  /** By where they stand and their names: `storage.policies.cold`. */
  readonly #sets = new Map<string, Config>();

  private constructor(
    values: Map<Setting<unknown>, unknown>,
    sources: Map<Setting<unknown>, string>,
  ) {
    this.#values = values;
    this.#sources = sources;
  }

  /** @throws invalid, code `config`: the message lists every mistake, one a line. */
  static load(sources: ConfigSources): Config {
    const { config, mistakes } = Config.inspect(sources);
    if (config !== undefined) return config;
    const lines = mistakes.map(({ where, problem }) => `  ${where}: ${problem}`);
    const count = mistakes.length === 1 ? '1 mistake' : `${mistakes.length} mistakes`;
    const message = `The configuration has ${count}:\n${lines.join('\n')}`;
    throw new HoldfastError('invalid', 'platform/Config.load', message, { code: 'config' });
  }

  /** Like `load`, with the mistakes as data. */
  static inspect(sources: ConfigSources): { config: Config | undefined; mistakes: Mistake[] } {
    const mistakes: Mistake[] = [];
    const sets = new SettingSets(sources.slices);
    const found = gather(sources, { settings: settingsOf(sources.slices), sets }, mistakes);
    const config = Config.#parse(sources.slices, found, mistakes);
    for (const { place, slices, given } of sets.all()) {
      config.#sets.set(place, Config.#parse(slices, given, mistakes));
    }
    if (mistakes.length === 0) {
      mistakes.push(...contradictions(config, sources.slices, found));
      for (const { place, slices, given } of sets.all()) {
        const set = config.#sets.get(place) ?? config;
        const wrong = contradictions(set, slices, given);
        mistakes.push(...wrong.map(({ where, problem }) => (
          { where: given.size === 0 ? place : where, problem: `${place}: ${problem}` })));
      }
    }
    return { config: mistakes.length === 0 ? config : undefined, mistakes };
  }

  static #parse(
    slices: readonly Slice[], found: ReadonlyMap<string, Found>, mistakes: Mistake[],
  ): Config {
    const values = new Map<Setting<unknown>, unknown>();
    const origins = new Map<Setting<unknown>, string>();
    for (const setting of settingsOf(slices)) {
      const given = found.get(setting.key);
      const value = given === undefined ? setting.default : parseOne(setting, given, mistakes);
      values.set(setting, value);
      origins.set(setting, given?.where ?? 'default');
    }
    return new Config(values, origins);
  }

  /** The named sets that stand there, by name: each answers for the slices that share the place. */
  sets(under: string): ReadonlyMap<string, Config> {
    const own = [...this.#sets].filter(([place]) => sectionOf(place) === under);
    return new Map(own.map(([place, config]) => [nameOf(place), config]));
  }

  /** The values of one module. The slice must have been among those loaded. */
  of<S extends Settings>(slice: Slice<S>): ValuesOf<S> {
    const pairs = Object.entries(slice.settings).map(([name, setting]) => {
      const known = this.#values.has(setting);
      if (!known) {
        throw new HoldfastError('internal', 'platform/Config.of', 'This slice was not loaded.');
      }
      return [name, this.#values.get(setting)];
    });
    return Object.fromEntries(pairs) as ValuesOf<S>;
  }

  /** The whole configuration as a file would say it, with where each value came from. */
  show(): string {
    const lines: string[] = [];
    let section = '';
    const bySection = [...this.#values].sort(([a], [b]) => {
      return compare(sectionOf(a.key), sectionOf(b.key));
    });
    for (const [setting, value] of bySection) {
      if (sectionOf(setting.key) !== section) {
        section = sectionOf(setting.key);
        lines.push(...(lines.length > 0 ? [''] : []), `[${section}]`);
      }
      const shown = showValue(setting, value);
      lines.push(`${nameOf(setting.key)} = ${shown}  # ${this.#sources.get(setting) ?? 'default'}`);
    }
    for (const [place, set] of this.#sets) lines.push('', `[${place}]`, ...set.#given());
    return `${lines.join('\n')}\n`;
  }

  /** Every setting by key, and of sets what they say. Secrets are masked. */
  list(place = ''): ShownSetting[] {
    const own = [...this.#values].flatMap(([setting, value]): ShownSetting[] => {
      const source = this.#sources.get(setting) ?? 'default';
      if (place !== '' && source === 'default') return [];
      const key = place === '' ? setting.key : `${place}.${nameOf(setting.key)}`;
      const isSecret = setting.secret === true;
      return [{ key, value: showValue(setting, value), source, isSecret, docs: setting.docs }];
    });
    const ofSets = [...this.#sets].flatMap(([name, set]) => set.list(name));
    return [...own.toSorted((a, b) => compare(a.key, b.key)), ...ofSets];
  }

  /** What a set says; all else in it is as by default. */
  #given(): string[] {
    return [...this.#values].flatMap(([setting, value]) => {
      const source = this.#sources.get(setting) ?? 'default';
      if (source === 'default') return [];
      const name = setting.key.slice(setting.key.indexOf('.') + 1);
      return [`${name} = ${showValue(setting, value)}  # ${source}`];
    });
  }
}

/** A value as the file would spell it; secrets masked. */
export function showValue(setting: Setting<unknown>, value: unknown): string {
  if (setting.secret === true && value !== undefined && value !== '') return `"${MASK}"`;
  if (value === undefined) return '""';
  if (setting.format !== undefined) return JSON.stringify(setting.format(value));
  return JSON.stringify(value);
}

export function sectionOf(key: string): string {
  return key.slice(0, key.lastIndexOf('.'));
}

export function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('.') + 1);
}

function settingsOf(slices: readonly Slice[]): readonly Setting<unknown>[] {
  return slices.flatMap((slice) => Object.values(slice.settings));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** What each key was set to, the weightiest source last and winning. */
function gather(
  sources: ConfigSources,
  { settings, sets }: { settings: readonly Setting<unknown>[]; sets: SettingSets },
  mistakes: Mistake[],
): ReadonlyMap<string, Found> {
  const found = new Map<string, Found>();
  const keys = settings.map(({ key }) => key);
  if (sources.file !== undefined) gatherFile(sources.file, { keys, sets }, found, mistakes);
  gatherEnvironment(sources.env, settings, found, mistakes);
  for (const { key, value, flag } of sources.flags ?? []) {
    found.set(key, { raw: value, where: flag });
  }
  return found;
}

function gatherFile(
  file: { text: string; label: string },
  { keys, sets }: { keys: readonly string[]; sets: SettingSets },
  found: Map<string, Found>,
  mistakes: Mistake[],
): void {
  let table: RawTable;
  try {
    table = parseToml(file.text) as RawTable;
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const problem = (error.message.split('\n', 1)[0] ?? '').replace('Invalid TOML document: ', '');
    mistakes.push({ where: `${file.label} line ${error.line}`, problem: `not TOML: ${problem}` });
    return;
  }
  const lines = lineNumbers(file.text);
  const known = new Set(keys);
  for (const [key, raw] of flatten(table, known)) {
    const line = lines.get(key);
    const where = line === undefined ? file.label : `${file.label} line ${line}`;
    if (known.has(key)) found.set(key, { raw, where });
    else if (sets.owns(key)) {
      const problem = sets.take(key, { raw, where });
      if (problem !== undefined) mistakes.push({ where, problem });
    } else mistakes.push({ where, problem: unknown(key, keys) });
  }
}

/** Dotted keys with their values; a table that is itself a setting's value stays whole. */
function flatten(table: RawTable, known: ReadonlySet<string>, prefix = ''): [string, RawValue][] {
  return Object.entries(table).flatMap(([name, raw]): [string, RawValue][] => {
    const key = prefix + name;
    const isTable = typeof raw === 'object' && !Array.isArray(raw) && !(raw instanceof Date);
    if (!isTable || known.has(key)) return [[key, raw]];
    return flatten(raw as RawTable, known, `${key}.`);
  });
}

function gatherEnvironment(
  env: ConfigSources['env'],
  settings: readonly Setting<unknown>[],
  found: Map<string, Found>,
  mistakes: Mistake[],
): void {
  const byName = new Map(settings.map((setting) => [environmentName(setting), setting.key]));
  for (const [name, raw] of Object.entries(env)) {
    if (!name.startsWith('HOLDFAST_') || raw === undefined || ENV_RESERVED.includes(name)) continue;
    const key = byName.get(name);
    if (key !== undefined) found.set(key, { raw, where: name });
    else mistakes.push({ where: name, problem: unknown(name, [...byName.keys()]) });
  }
}

function unknown(word: string, candidates: readonly string[]): string {
  const near = closest(word, candidates);
  const hint = near === undefined ? 'See docs/configuration.md.' : `Did you mean ${near}?`;
  return `there is no such setting as ${word}. ${hint}`;
}

function parseOne(setting: Setting<unknown>, { raw, where }: Found, mistakes: Mistake[]): unknown {
  try {
    return setting.parse(raw);
  } catch (error) {
    if (!(error instanceof SettingError) && !(error instanceof HoldfastError)) throw error;
    mistakes.push({ where, problem: `${setting.key}: ${error.message}` });
    return undefined;
  }
}

function contradictions(
  config: Config,
  slices: readonly Slice[],
  found: ReadonlyMap<string, Found>,
): Mistake[] {
  return slices.flatMap((slice) => {
    const problems = slice.check?.(config.of(slice)) ?? [];
    return problems.map(({ key, problem }) => {
      return { where: found.get(key)?.where ?? key, problem };
    });
  });
}
