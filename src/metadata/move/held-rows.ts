/** Rows of a tenant as its mover holds them on the shards that it moves between: what it wrote
 *  before it fell asleep, or writes when it wakes, does nothing once another goes on. */
import { HoldfastError } from '../../base/errors.ts';
import type { TenantId } from '../../base/ids.ts';
import type { TenantRows } from './tenant-rows.ts';

export interface HeldRowsParts {
  readonly tenant: TenantId;
  readonly rowsOf: (shard: number) => Promise<TenantRows>;
  /** Asks the journal, which knows. @throws unavailable `moved-by-another`: the move is not this
   *  mover's any more. */
  readonly confirm: () => Promise<void>;
}

export class HeldRows {
  readonly #parts: HeldRowsParts;
  /** By shard. */
  readonly #held = new Map<number, { rows: TenantRows; held: TenantRows }>();

  constructor(parts: HeldRowsParts) {
    this.#parts = parts;
  }

  /** The move is confirmed before, and again behind: whoever fell asleep in between has taken the
   *  rows from another, and leaves them alone. */
  async at(shard: number): Promise<TenantRows> {
    const { tenant, rowsOf, confirm } = this.#parts;
    const rows = await rowsOf(shard);
    const known = this.#held.get(shard);
    if (known?.rows === rows) return known.held;
    await confirm();
    const held = await rows.hold(tenant);
    await confirm();
    this.#held.set(shard, { rows, held });
    return held;
  }

  /** Whoever is refused because another held the rows holds them anew next time, if it may. */
  async within<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (error instanceof HoldfastError && error.code === 'moved-by-another') this.#held.clear();
      throw error;
    }
  }

  async end(): Promise<void> {
    for (const { held } of this.#held.values()) await held.endHold(this.#parts.tenant);
    this.#held.clear();
  }
}
