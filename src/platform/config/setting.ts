/** How a module declares what an operator may set. */

/** What a TOML file or an environment variable can hold. */
export type RawValue = string | number | bigint | boolean | Date | readonly RawValue[] | RawTable;
export interface RawTable {
  readonly [key: string]: RawValue;
}

/** Thrown by `parse`. The message goes on after the key: `must be a whole number`. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
}

export interface Setting<T> {
  /** Section and name, as in the file: `server.drain_seconds`. Units come last. */
  readonly key: string;
  readonly default: T;
  /** Must also take the text form, since the environment knows only text.
   *  @throws SettingError */
  readonly parse: (raw: RawValue) => T;
  /** What a number counts: `seconds`, `bytes`. */
  readonly unit?: string;
  /** Full sentences for the manual: what it does and when to change it. */
  readonly docs: string;
  /** Never shown, neither its value nor its default. */
  readonly secret?: boolean;
  /** The environment variable, when it is not made from the key. */
  readonly env?: string;
  /** How the value reads in the file, when that is not how it prints. */
  format?(value: T): string;
}

export type Settings = Readonly<Record<string, Setting<unknown>>>;

export type ValuesOf<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

/** What one module can be told. */
export interface Slice<S extends Settings = Settings> {
  readonly settings: S;
  /** The settings can be given again, as one of several sets that have names: `copies`, which is
   *  `storage.copies`, as `storage.policies.NAME.copies`. A set says all that differs from the
   *  defaults. Slices may share their sets. */
  readonly sets?: SetPlace;
  /** Finds settings that contradict each other. Runs only when each is right by itself. */
  check?(values: ValuesOf<S>): readonly Contradiction[];
}

/** `{ under: 'storage.policies', of: 'storage' }`. */
export interface SetPlace {
  readonly under: string;
  readonly of: string;
}

export interface Contradiction {
  readonly key: string;
  readonly problem: string;
}

/** Gives a setting its type: without it, a default of `false` would be the only value. */
export function setting<T>(declared: Setting<T>): Setting<T> {
  return declared;
}

export function slice<const S extends Settings>(declared: Slice<S>): Slice<S> {
  return declared;
}

/** `server.drain_seconds` is HOLDFAST_SERVER_DRAIN_SECONDS. */
export function environmentName({ key, env }: { key: string; env?: string }): string {
  return env ?? `HOLDFAST_${key.toUpperCase().replaceAll('.', '_')}`;
}
