/** Where the window for sharing appears. What is in it is loaded when it is opened first. */
import { Suspense, lazy, useState } from 'react';
import type { ReactNode } from 'react';
import type { SharingDialogProps } from './sharing-dialog.tsx';

const SharingDialog = lazy(async () => ({
  default: (await import('./sharing-dialog.tsx')).SharingDialog,
}));

export function SharingHost({ node, close }: SharingDialogProps): ReactNode {
  const [wasOpen, setWasOpen] = useState(false);
  if (node !== undefined && !wasOpen) setWasOpen(true);
  if (!wasOpen) return null;
  return <Suspense fallback={null}><SharingDialog node={node} close={close} /></Suspense>;
}
