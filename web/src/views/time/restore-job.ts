/** Bringing things back: it is begun by one call and goes on by itself; here it is followed. */
import { api } from '../../api/client.ts';
import { Unreachable } from '../../api/http.ts';
import { queryClient } from '../../api/query-client.ts';
import { Store } from '../../api/store.ts';
import type { Batch } from '../../../../src/wire/client.ts';
import { say, sayFailed } from '../../parts/toasts.tsx';
import { t } from '../../texts/texts.ts';

const POLL_MS = 600;

export interface RestoreJob {
  readonly batch: Batch;
  readonly isUndo: boolean;
}

export interface WhatToRestore {
  /** Where it was then. */
  readonly path: string;
  readonly name: string;
  readonly at: string;
  readonly withSharing: boolean;
}

/** What is under way, for those who look. */
export const restoreJob = new Store<RestoreJob | undefined>(undefined);

export async function restore({ path, name, at, withSharing }: WhatToRestore): Promise<void> {
  try {
    const begun = await api.restorePast({ body: { path, at, withSharing } });
    const { id, doneCount, skippedCount } = await ended(begun, false);
    const text = skippedCount > 0 ? t('time.doneSkipped', { count: skippedCount, name })
      : t('time.done', { count: doneCount, name });
    say(text, {
      undo: async () => {
        await ended(await api.undoBatch({ id }), true);
      },
    });
  } catch (error) {
    sayFailed(error);
  }
}

async function ended(begun: Batch, isUndo: boolean): Promise<Batch> {
  let batch = begun;
  try {
    while (batch.state === 'running') {
      restoreJob.set({ batch, isUndo });
      await new Promise((resolve) => {
        setTimeout(resolve, POLL_MS);
      });
      batch = await lookedAt(batch);
    }
  } finally {
    restoreJob.set(undefined);
  }
  await queryClient.invalidateQueries();
  return batch;
}

/** While the server is away nothing is known, and it is asked again. */
async function lookedAt(batch: Batch): Promise<Batch> {
  try {
    return await api.getBatch({ id: batch.id });
  } catch (error) {
    if (error instanceof Unreachable) return batch;
    throw error;
  }
}
