/** The head of a part: what it is for, a search, and what can be done. */
import { CloseButton, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { Icon } from '../../parts/icons.tsx';
import { t } from '../../texts/texts.ts';

export interface PartHeadProps {
  readonly title: string;
  readonly lead?: string;
  readonly children?: ReactNode;
}

export function PartHead({ title, lead, children }: PartHeadProps): ReactNode {
  return (
    <header className="hf-admin-head">
      <div>
        <h1>{title}</h1>
        {lead !== undefined && <p>{lead}</p>}
      </div>
      {children !== undefined && <div className="hf-admin-tools">{children}</div>}
    </header>
  );
}

export interface SearchFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

export function SearchField({ label, value, onChange }: SearchFieldProps): ReactNode {
  return (
    <TextInput
      className="hf-admin-search" placeholder={label} aria-label={label} value={value}
      leftSection={<Icon name="search" small />} spellCheck={false}
      onChange={(event) => onChange(event.currentTarget.value)}
      rightSection={value !== '' && (
        <CloseButton size="sm" aria-label={t('admin.clearSearch')} onClick={() => onChange('')} />
      )}
    />
  );
}
