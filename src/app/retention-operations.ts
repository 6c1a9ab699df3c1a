/** What `holdfast retention` has done: in the running server, or alone while none runs. */
import { parseSpaceId, parseTenantId, parseUserId } from '../base/ids.ts';
import type { TenantId } from '../base/ids.ts';
import { RetentionPolicies, SpaceDirectory } from '../files/index.ts';
import type { filesSlice, RetentionShown } from '../files/index.ts';
import { SPACES_LIMIT_MAX } from '../metadata/index.ts';
import type { RetentionRule, RetentionScope, SpaceRecord } from '../metadata/index.ts';
import type { Operations, PlainRecord } from '../operations/index.ts';
import type { ValuesOf } from '../platform/index.ts';
import { unlessAway } from './quota-operations.ts';
import type { Stores } from './stores.ts';

/** Spaces whose rules one answer looks for. */
const SPACES_MAX = 100_000;

/** Whom a rule is for, as people call it. */
interface Whose {
  scope: RetentionScope;
  kind: 'tenant' | 'personal' | 'team';
  tenant: TenantId;
  subject: string;
}

export function retentionOperations(
  { metadata, identity, shards }: Stores,
  { files, now }: { files: ValuesOf<typeof filesSlice.settings>; now: () => number },
): Operations {
  const lists = shards.withoutAway(() => undefined); // Whose are missing is told by tenant.
  const policies = new RetentionPolicies({ metadata, settings: files });
  const { casePolicy, quotaBytes } = files;
  const defaults = { casePolicy, quotaBytes: quotaBytes === 0 ? undefined : quotaBytes };
  const spaces = new SpaceDirectory({ metadata, defaults, now });

  const ofSpace = ({ id, kind, tenant, owner, name }: SpaceRecord): Whose => ({
    scope: { kind: 'space', spaceId: id }, kind, tenant, subject: owner ?? name,
  });
  const ofTenant = (tenant: TenantId): Whose => ({
    scope: { kind: 'tenant', tenant }, kind: 'tenant', tenant, subject: tenant,
  });
  const whoseOf = async (input: PlainRecord): Promise<Whose> => {
    const { user, space, tenant } = input;
    if (typeof user === 'string') {
      // Whoever has no files yet gets the space that they will lie in: the rule is the space's.
      const { id, tenant: of } = await identity.users.get(parseUserId(user));
      const { id: own } = await spaces.personalSpace({ user: id, tenant: of });
      return ofSpace(await metadata.getSpace(own));
    }
    if (typeof space === 'number') return ofSpace(await metadata.getSpace(parseSpaceId(space)));
    const wanted = parseTenantId(typeof tenant === 'string' ? tenant : '');
    const { id } = await identity.tenants.get(wanted);
    return ofTenant(id);
  };
  const shown = async (whose: Whose): Promise<Whose & RetentionShown> => (
    { ...whose, ...await policies.show(whose.scope) }
  );

  async function* rows(away: TenantId[]): AsyncGenerator<Whose & RetentionShown> {
    for (const { id } of await identity.tenants.list()) {
      const row = await unlessAway(shown(ofTenant(id)));
      if (row === undefined) away.push(id);
      else yield row;
    }
    let after: SpaceRecord['id'] | undefined;
    for (let seen = 0; seen < SPACES_MAX; seen += SPACES_LIMIT_MAX) {
      const spaces = await lists.listSpaces(SPACES_LIMIT_MAX, after);
      for (const space of spaces) {
        const row = await shown(ofSpace(space));
        if (Object.keys(row.rule).length > 0) yield row;
      }
      after = spaces.at(-1)?.id;
      if (after === undefined) return;
    }
  }

  return {
    'retention.show': async (input) => {
      const isAll = input['all'] === true;
      const away: TenantId[] = [];
      const found = isAll ? await Array.fromAsync(rows(away))
        : [await shown(await whoseOf(input))];
      return plain({ rows: found, away });
    },
    'retention.set': async (input) => {
      const whose = await whoseOf(input);
      const before = await shown(whose);
      const rule = input['clear'] === true ? {} : changed(before.rule, input);
      await policies.set(whose.scope, rule);
      return plain({ before, after: await shown(whose) });
    },
  };
}

/** What is not named stays; null leaves it to the next rule. */
function changed(rule: RetentionRule, input: PlainRecord): RetentionRule {
  const keys = ['keepAllDays', 'keepDailyDays', 'trashKeepDays'] as const;
  const result: RetentionRule = {};
  for (const key of keys) {
    const days = input[key] === undefined ? rule[key] : input[key];
    if (typeof days === 'number') result[key] = days;
  }
  return result;
}

function plain(value: object): PlainRecord {
  return JSON.parse(JSON.stringify(value)) as PlainRecord;
}
