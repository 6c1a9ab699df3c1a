/** What becomes of two files that were one, each with its way back. */
import { api } from '../../api/client.ts';
import { reloadListing } from '../../api/listings.ts';
import { queryClient } from '../../api/query-client.ts';
import type { FileNode } from '../../api/shapes.ts';
import { say, sayFailed } from '../../parts/toasts.tsx';
import { t } from '../../texts/texts.ts';
import { INBOX_KEY } from './use-inbox.ts';

interface KeepOne {
  readonly kept: FileNode;
  /** undefined: there is no other. */
  readonly dropped: FileNode | undefined;
  /** What the file is called. */
  readonly name: string;
}

/** The other one goes to the trash, and the one that is kept has the name. */
export async function keepOne({ kept, dropped, name }: KeepOne): Promise<void> {
  try {
    const gone = dropped && await api.deleteNode({ id: dropped.id });
    const isRenamed = kept.name !== name;
    if (isRenamed) await api.changeNode({ id: kept.id, body: { name, onConflict: 'rename' } });
    await settle();
    say(t('inbox.kept', { name }), {
      undo: async () => {
        if (isRenamed) await api.changeNode({ id: kept.id, body: { name: kept.name } });
        if (gone?.trashId !== undefined) await api.restoreTrashed({ id: gone.trashId });
        await settle();
      },
    });
  } catch (error) {
    sayFailed(error);
    await settle();
  }
}

/** The copy gets a name like any other. */
export async function keepBoth(
  { copy, name }: { readonly copy: FileNode; readonly name: string },
): Promise<void> {
  try {
    const renamed = await api.changeNode({ id: copy.id, body: { name, onConflict: 'rename' } });
    await settle();
    say(t('inbox.keptBoth', { name, other: renamed.name }), {
      undo: async () => {
        await api.changeNode({ id: copy.id, body: { name: copy.name } });
        await settle();
      },
    });
  } catch (error) {
    sayFailed(error);
  }
}

async function settle(): Promise<void> {
  void reloadListing();
  await queryClient.invalidateQueries({ queryKey: INBOX_KEY });
}
