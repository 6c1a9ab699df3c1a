/** Options for stores under test: short deadlines, so that a fault is over in a moment. */
import { randomUUID } from 'node:crypto';
import { SeededRandom, systemClock } from '../../../../platform/index.ts';
import type { ObjectLimits, S3Options } from '../s3-options.ts';

export const QUICK_LIMITS: Partial<ObjectLimits> = {
  silenceTimeoutMs: 400, operationTimeoutMs: 3_000, backoffFirstMs: 2, backoffMaxMs: 10,
};

/** Each call takes a prefix of its own. */
export function storeOptions(
  server: Pick<S3Options, 'endpoint' | 'bucket' | 'credentials'>, more: Partial<S3Options> = {},
): S3Options {
  return {
    region: 'us-east-1',
    prefix: `${randomUUID()}/`,
    storeId: 'store-under-test',
    whenEmpty: 'create',
    clock: systemClock,
    random: new SeededRandom(7),
    onFinding: () => undefined,
    ...server,
    ...more,
  };
}
