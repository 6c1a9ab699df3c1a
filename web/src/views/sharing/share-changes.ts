/** What can be done about shares, each with its way back. All of it says what has become of it. */
import { api } from '../../api/client.ts';
import { patchChanged } from '../../api/listings.ts';
import { isStatus } from '../../api/http.ts';
import { queryClient } from '../../api/query-client.ts';
import type { NewShare, Share, ShareChange } from '../../../../src/wire/client.ts';
import { copyText } from '../../parts/copy-text.ts';
import { dismiss, say, sayFailed } from '../../parts/toasts.tsx';
import type { Toast } from '../../parts/toasts.tsx';
import { t } from '../../texts/texts.ts';
import { runAll } from '../files/run-all.ts';
import { nameOfShare } from './sharing-words.ts';

export const SHARES_KEY = ['shares'] as const;
export const nodeSharesKey = (nodeId: string) => [...SHARES_KEY, 'node', nodeId] as const;
export const ACCESS_KEY = ['access'] as const;

/** Lists of shares, and the marks in lists of files. */
async function settle(nodeId: string): Promise<void> {
  void queryClient.invalidateQueries({ queryKey: SHARES_KEY });
  void queryClient.invalidateQueries({ queryKey: ACCESS_KEY });
  try {
    patchChanged(await api.getNode({ id: nodeId }));
  } catch (error) {
    // Whoever shuts oneself out sees it no longer, and there is no mark to set.
    if (!isStatus(error, 403, 404)) sayFailed(error);
  }
}

let toldId = 0;

/** Of several changes in a row only the last is told, not to cover the window; Ctrl+Z still takes
 *  back those before it. */
function tell(text: string, options: Partial<Pick<Toast, 'kind' | 'undo'>> = {}): void {
  dismiss(toldId);
  toldId = say(text, options);
}

export interface Wanted {
  readonly nodeId: string;
  readonly receivers: readonly NewShare['receiver'][];
  readonly names: readonly string[];
  readonly terms: Omit<NewShare, 'receiver'>;
}

/** True when all of them have it. */
export async function shareWith({ nodeId, receivers, names, terms }: Wanted): Promise<boolean> {
  const { done, failed } = await runAll(receivers, (receiver) => {
    return api.shareNode({ id: nodeId, body: { ...terms, receiver } });
  });
  await settle(nodeId);
  if (failed[0] !== undefined) sayFailed(failed[0][1]);
  if (done.length > 0) {
    tell(t('sharing.shared', { count: done.length, name: names[0] ?? '' }), {
      undo: async () => {
        const back = await runAll(done, ([, { id }]) => api.endShare({ id }));
        await settle(nodeId);
        if (back.failed[0] !== undefined) throw back.failed[0][1];
      },
    });
  }
  return failed.length === 0;
}

/** Makes a link that only shows, and copies its address. */
export async function makeLink(nodeId: string): Promise<Share | undefined> {
  try {
    const body = { receiver: { kind: 'link' }, role: 'viewer' } as const;
    const made = await api.shareNode({ id: nodeId, body });
    await settle(nodeId);
    const isCopied = made.url !== undefined && await copyText(made.url);
    tell(t(isCopied ? 'sharing.linkMade' : 'sharing.linkMadeOnly'), {
      undo: async () => {
        await api.endShare({ id: made.id });
        await settle(nodeId);
      },
    });
    return made;
  } catch (error) {
    sayFailed(error);
    return undefined;
  }
}

/** True when it is as wanted. A password cannot be put back: nobody knows the one before. */
export async function changeShare(share: Share, change: ShareChange): Promise<boolean> {
  const { id, nodeId } = share;
  try {
    await api.changeShare({ id, body: change });
    await settle(nodeId);
    const undo = change.password !== undefined ? undefined : async (): Promise<void> => {
      await api.changeShare({ id, body: formerOf(share, change) });
      await settle(nodeId);
    };
    const name = nameOfShare(share);
    const { role } = change;
    tell(role === undefined || share.kind === 'link' ? t('sharing.changed', { name })
      : t('sharing.changedRole', { name, role: t(`sharing.role.${role}`) }), { undo });
    return true;
  } catch (error) {
    sayFailed(error);
    return false;
  }
}

/** What the changed fields were. */
function formerOf(share: Share, change: ShareChange): ShareChange {
  const former: Required<Omit<ShareChange, 'password'>> = {
    role: share.role, expiresAt: share.expiresAt ?? null, label: share.label ?? '',
    note: share.note ?? '', downloadsMax: share.downloadsMax ?? 0,
    hideDownload: share.hideDownload ?? false, fileDrop: share.fileDrop ?? false,
  };
  const changed = Object.entries(former).filter(([key]) => key in change);
  return Object.fromEntries(changed) as ShareChange;
}

/** A person or group gets the same share again by undo; a link cannot come back under its address,
 *  so whoever calls has asked before. */
export async function endShare(share: Share): Promise<void> {
  const { id, nodeId, kind, receiver } = share;
  const name = nameOfShare(share);
  try {
    await api.endShare({ id });
    await settle(nodeId);
  } catch (error) {
    sayFailed(error);
    return;
  }
  if (kind === 'link' || receiver === undefined) {
    tell(t('sharing.linkEnded', { name }));
    return;
  }
  const { role, note, label, expiresAt } = share;
  tell(t('sharing.ended', { name }), {
    undo: async () => {
      await api.shareNode({
        id: nodeId,
        body: {
          receiver: { kind, id: receiver.id }, role,
          ...(note !== undefined && { note }), ...(label !== undefined && { label }),
          ...(expiresAt !== undefined && { expiresAt }),
        },
      });
      await settle(nodeId);
    },
  });
}

export async function copyLink({ url }: Share): Promise<void> {
  if (url === undefined) return;
  if (await copyText(url)) tell(t('sharing.copied'));
  else tell(t('sharing.copyFailed', { url }), { kind: 'failed' });
}

export async function sendMailAgain({ id, nodeId }: Share): Promise<void> {
  try {
    await api.sendShareMail({ id });
    await settle(nodeId);
    tell(t('sharing.sentAgain'));
  } catch (error) {
    sayFailed(error);
  }
}
