/** All that the program can be told, from every module that can be told something. */
import { gcSlice } from '../durability/index.ts';
import { filesSlice } from '../files/index.ts';
import { mailSlice } from '../mail/index.ts';
import { tenantMoveSlice } from '../metadata/index.ts';
import { clusterSlice, databaseSlice, serverSlice } from '../platform/index.ts';
import type { Slice } from '../platform/index.ts';
import { nextcloudSlice } from '../protocols/index.ts';
import { schemaSlice } from '../schema/index.ts';
import { backendSlice, erasureSlice, filerSlice, storageSlice } from '../storage/index.ts';
import { webhookSlice } from '../webhooks/index.ts';

export const SLICES: readonly Slice[] = [
  serverSlice, databaseSlice, clusterSlice, filesSlice, storageSlice, erasureSlice, backendSlice,
  filerSlice, nextcloudSlice, gcSlice, mailSlice, webhookSlice, schemaSlice, tenantMoveSlice,
];
