import { DEFAULT_TENANT, parseTenantId, type TenantId } from '../base/ids.ts';
import { HoldfastError } from '../base/errors.ts';
import type { Clock } from '../platform/index.ts';
import { noSuchTenant } from './identity-errors.ts';
import type { IdentityStore } from './identity-store.ts';
import { parseDisplayName } from './labels.ts';
import type { TenantRecord } from './records.ts';

export interface NewTenant {
  /** Checked by `parseTenantId`. */
  id: string;
  /** The id, when left out. */
  title?: string;
  /** Name of the storage policy, for good; `default`, when left out. That there is such a policy
   *  has been checked by whoever calls. */
  policy?: string;
}

/** As a key of the configuration. */
const POLICY = /^[a-z][a-z0-9_-]{0,31}$/;

/**
 * The companies or households on an installation. Each has users, groups, spaces, an audit log and
 * a storage of its own, and nothing crosses from one to another. DEFAULT_TENANT is always there.
 * Whether the caller may make one is decided above. Errors besides those listed: as IdentityStore.
 */
export class Tenants {
  readonly #store: IdentityStore;
  readonly #clock: Clock;

  constructor(store: IdentityStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** @throws invalid: a name breaks a rule; exists; too-large: over TENANTS_MAX. */
  async create({ id: rawId, title, policy = DEFAULT_TENANT }: NewTenant): Promise<TenantRecord> {
    const id = parseTenantId(rawId);
    const createdAt = this.#clock.now();
    return this.#store.addTenant({
      id, title: parseDisplayName(title ?? id), policy: parsePolicy(policy), createdAt,
    });
  }

  async find(id: TenantId): Promise<TenantRecord | undefined> {
    return this.#store.findTenant(id);
  }

  /** @throws not-found. */
  async get(id: TenantId): Promise<TenantRecord> {
    const tenant = await this.find(id);
    if (tenant === undefined) throw noSuchTenant('identity/Tenants.get');
    return tenant;
  }

  /** All, ascending by id: TENANTS_MAX at most. */
  async list(): Promise<TenantRecord[]> {
    return this.#store.listTenants();
  }
}

function parsePolicy(raw: string): string {
  if (POLICY.test(raw)) return raw;
  const message = 'A storage policy\'s name starts with a lower-case letter and holds lower-case '
    + 'letters, digits, - and _, 32 characters at most.';
  throw new HoldfastError('invalid', 'identity/Tenants.create', message, { code: 'policy-name' });
}
