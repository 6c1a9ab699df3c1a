/** Rules of forgetting, on the in-memory model. */
import type { RetentionRule, RetentionScope } from '../../retention.ts';

export class MemoryRetention {
  readonly #rules = new Map<string, RetentionRule>();

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
