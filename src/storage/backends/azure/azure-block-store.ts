/** Opens a BlockStore in a container of Azure Blob storage. */
import { ObjectBlockStore } from '../s3/object-block-store.ts';
import { OBJECT_LIMITS } from '../s3/s3-options.ts';
import { AzureClient, azureDialect } from './azure-client.ts';
import type { AzureOptions } from './azure-options.ts';

/** What Azure gives at most in one answer of a listing. */
const PAGE_KEYS = 5000;

/** See ObjectBlockStore.open. @throws invalid, too: a setting that cannot be right. */
export async function openAzureBlockStore(options: AzureOptions): Promise<ObjectBlockStore> {
  const limits = { ...OBJECT_LIMITS, pageKeysMax: PAGE_KEYS, ...options.limits };
  const client = new AzureClient(options, limits);
  return ObjectBlockStore.over(client, options, azureDialect, 'AzureBlockStore');
}
