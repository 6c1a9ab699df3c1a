/** What a server's errors are to whoever asked for metadata. */
import type { FaultData } from '../../../base/errors.ts';
import {
  explainedFault as explained, toFault as faultOf,
} from '../../../platform/mariadb/index.ts';

export const WORDS = { op: 'metadata/MariadbMetadataStore', database: 'metadata database' };

export function toFault(error: unknown): FaultData {
  return faultOf(error, WORDS);
}

/** What crosses the door is a HoldfastError. */
export function explainedFault(error: unknown): unknown {
  return explained(error, WORDS);
}
