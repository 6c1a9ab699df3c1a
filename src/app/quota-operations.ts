/** What `holdfast quota` has done: in the running server, or alone while none runs. */
import { HoldfastError, isKind } from '../base/errors.ts';
import { DEFAULT_TENANT, parseSpaceId, parseTenantId, parseUserId } from '../base/ids.ts';
import type { TenantId } from '../base/ids.ts';
import { QuotaService, SpaceDirectory } from '../files/index.ts';
import type { filesSlice, QuotaSubject } from '../files/index.ts';
import type { Operations, PlainRecord } from '../operations/index.ts';
import type { Clock, ValuesOf } from '../platform/index.ts';
import type { Stores } from './stores.ts';

/** While no server runs: nobody else remembers a quota. */
export function quotasAlone(
  { metadata, shards }: Stores,
  { clock, files }: { clock: Clock; files: ValuesOf<typeof filesSlice.settings> },
): QuotaService {
  const now = (): number => clock.now();
  const { casePolicy } = files;
  const quotaBytes = files.quotaBytes === 0 ? undefined : files.quotaBytes;
  const spaces = new SpaceDirectory({ metadata, defaults: { casePolicy, quotaBytes }, now });
  const lists = shards.withoutAway(() => undefined); // Whose are missing is told by tenant.
  return new QuotaService({ metadata, lists, spaces, now });
}

export function quotaOperations({ identity }: Stores, quotas: QuotaService): Operations {
  /** @throws not-found: nobody gets a space by a typing error. */
  const subjectOf = async (input: PlainRecord): Promise<QuotaSubject> => {
    const { user, space, tenant } = input;
    if (typeof user === 'string') {
      const { id, tenant: of } = await identity.users.get(parseUserId(user));
      return { kind: 'user', user: id, tenant: of };
    }
    if (typeof space === 'number') return { kind: 'space', spaceId: parseSpaceId(space) };
    const wanted = parseTenantId(typeof tenant === 'string' ? tenant : DEFAULT_TENANT);
    return { kind: 'tenant', tenant: (await identity.tenants.get(wanted)).id };
  };
  return {
    'quota.set': async (input) => {
      const { bytes } = input;
      const isValid = bytes === null
        || (typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes >= 0);
      if (!isValid) {
        throw new HoldfastError('invalid', 'app/quota', 'A quota is a number of bytes.');
      }
      const subject = await subjectOf(input);
      const before = await quotas.of(subject);
      await quotas.set(subject, bytes === null ? undefined : bytes);
      return plain({ before, after: await quotas.of(subject) });
    },
    'quota.show': async (input) => {
      if (input['all'] !== true) return plain({ rows: [await quotas.of(await subjectOf(input))] });
      const { rows, isWhole } = await quotas.list();
      const away: TenantId[] = [];
      for (const { id: tenant } of await identity.tenants.list()) {
        const row = await unlessAway(quotas.of({ kind: 'tenant', tenant }));
        if (row === undefined) away.push(tenant);
        else rows.push(row);
      }
      return plain({ rows, isWhole, away });
    },
  };
}

/** undefined: what is asked for lies on a shard that cannot be reached. */
export async function unlessAway<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isKind(error, 'unavailable')) return undefined;
    throw error;
  }
}

function plain(value: object): PlainRecord {
  return JSON.parse(JSON.stringify(value)) as PlainRecord;
}
