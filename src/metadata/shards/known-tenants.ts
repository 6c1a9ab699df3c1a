import type { TenantId } from '../../base/ids.ts';

export interface Person {
  kind: 'user' | 'group';
  id: string;
}

/** Of which tenant a user or group is, for good; undefined: there is none of that name. */
export type TenantOf = (
  person: Person,
) => TenantId | undefined | Promise<TenantId | undefined>;

const KNOWN_MAX = 100_000;

/** Remembers who is of which tenant. Nobody ever changes tenants, so it need not be asked twice;
 *  who is not there yet may come, so that is not remembered. */
export class KnownTenants {
  readonly #tenantOf: TenantOf;
  #known = new Map<string, TenantId>();

  constructor(tenantOf: TenantOf) {
    this.#tenantOf = tenantOf;
  }

  /** At once, where that is possible. */
  of(person: Person): TenantId | undefined | Promise<TenantId | undefined> {
    const key = `${person.kind} ${person.id}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const told = this.#tenantOf(person);
    return told instanceof Promise ? told.then((tenant) => this.#note(key, tenant))
      : this.#note(key, told);
  }

  #note(key: string, tenant: TenantId | undefined): TenantId | undefined {
    if (tenant === undefined) return undefined;
    if (this.#known.size >= KNOWN_MAX) this.#known = new Map();
    this.#known.set(key, tenant);
    return tenant;
  }
}
