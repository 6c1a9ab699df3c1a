/** A window over the page. It takes the focus and gives it back. */
import { Modal } from '@mantine/core';
import type { ReactNode } from 'react';
import { t } from '../texts/texts.ts';

export interface DialogProps {
  readonly title: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly size?: number;
}

export function Dialog({ title, isOpen, onClose, children, size = 440 }: DialogProps): ReactNode {
  return (
    <Modal
      opened={isOpen} onClose={onClose} title={title} size={size} centered
      // The page itself never scrolls, and the lock would add a style that the policy refuses.
      lockScroll={false}
      overlayProps={{ color: 'var(--hf-shade)', backgroundOpacity: 1 }}
      transitionProps={{ transition: 'pop', duration: 120 }}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {children}
    </Modal>
  );
}
