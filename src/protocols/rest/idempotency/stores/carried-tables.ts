/** What keyed requests were answered, as it is carried from a file to a server, or back. What was
 *  begun and not ended counts as unknown on both sides. A test holds this against both schemas. */
import type { CarriedTable } from '../../../../tables/index.ts';

const NOBODY = { sql: '\'\'', from: [] };

export const KEYED_REQUESTS_CARRIED: readonly CarriedTable[] = [
  {
    name: 'keyed_request', key: ['user', 'key'],
    others: ['fingerprint', 'begun_at', 'state', 'status', 'headers', 'body', 'is_whole'],
    onMariadb: {
      columns: { user: 'user_id', key: 'request_key' },
      made: { attempt: NOBODY, writer: NOBODY },
    },
  },
];

/** Tables that stay where they are, and why. */
export const KEYED_REQUESTS_NOT_CARRIED: Readonly<Record<string, string>> = {
  keyed_request_meta: 'the format',
  keyed_request_writer: 'who writes to this very database',
};
