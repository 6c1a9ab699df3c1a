/** Rules of forgetting, on the in-memory model. */
import type { TenantId } from '../../../base/ids.ts';
import type { RetentionRule, RetentionScope } from '../../retention.ts';

export class MemoryRetention {
  readonly #rules = new Map<string, RetentionRule>();

  /** Those that have a rule of their own. */
  get tenants(): TenantId[] {
    return [...this.#rules.keys()].filter((key) => key.startsWith('tenant '))
      .map((key) => key.slice('tenant '.length) as TenantId);
  }

  set(scope: RetentionScope, rule: RetentionRule): void {
    this.#rules.set(keyOf(scope), rule);
  }

  read(scope: RetentionScope): RetentionRule {
    return structuredClone(this.#rules.get(keyOf(scope)) ?? {});
  }
}

function keyOf(scope: RetentionScope): string {
  return scope.kind === 'space' ? `space ${scope.spaceId}` : `tenant ${scope.tenant}`;
}
