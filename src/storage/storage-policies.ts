/** Where storage policies stand in the configuration: `storage.copies` of the policy `cold` is
 *  `storage.policies.cold.copies`. */
export const STORAGE_POLICIES = { under: 'storage.policies', of: 'storage' };
