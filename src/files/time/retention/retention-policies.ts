/** For how long what is past is kept: by the rule of the space, where that says nothing by the rule
 *  of its tenant, and where that says nothing either by the settings. */
import type { TenantId } from '../../../base/ids.ts';
import type {
  MetadataStore, RetentionRule, RetentionScope, SpaceRecord,
} from '../../../metadata/index.ts';
import type { VersionPolicy } from './thinning.ts';

export interface RetentionPolicy extends VersionPolicy {
  /** For so long what was deleted can be restored; 0: for ever. */
  trashKeepDays: number;
}

/** What was set, and what holds. */
export interface RetentionShown {
  rule: RetentionRule;
  policy: RetentionPolicy;
}

export class RetentionPolicies {
  readonly #metadata: MetadataStore;
  readonly #settings: RetentionPolicy;

  constructor(parts: { metadata: MetadataStore; settings: RetentionPolicy }) {
    const { keepAllDays, keepDailyDays, trashKeepDays } = parts.settings;
    this.#metadata = parts.metadata;
    this.#settings = { keepAllDays, keepDailyDays, trashKeepDays };
  }

  /** What holds for a space. Two small reads. */
  async of({ id, tenant }: Pick<SpaceRecord, 'id' | 'tenant'>): Promise<RetentionPolicy> {
    const rule = await this.#metadata.readRetention({ kind: 'space', spaceId: id });
    return { ...await this.#ofTenant(tenant), ...rule };
  }

  async #ofTenant(tenant: TenantId): Promise<RetentionPolicy> {
    return { ...this.#settings, ...await this.#metadata.readRetention({ kind: 'tenant', tenant }) };
  }

  /** @throws not-found: no such space. */
  async show(scope: RetentionScope): Promise<RetentionShown> {
    const rule = await this.#metadata.readRetention(scope);
    const policy = scope.kind === 'tenant' ? await this.#ofTenant(scope.tenant)
      : await this.of(await this.#metadata.getSpace(scope.spaceId));
    return { rule, policy };
  }

  /** Takes the place of the rule that was there; the job that forgets obeys it from its next slice
   *  on. What was forgotten by a shorter time before is gone. @throws as SetRetention. */
  async set(scope: RetentionScope, rule: RetentionRule): Promise<void> {
    await this.#metadata.commit({ op: 'set-retention', scope, rule });
  }
}
