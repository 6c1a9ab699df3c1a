/** Small things that several parts show: cards of facts, states in words, notices, bars. */
import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { Icon } from '../../parts/icons.tsx';
import type { IconName } from '../../parts/icons.tsx';
import { Link } from '../../parts/link.tsx';

export type Tone = 'good' | 'attention' | 'unknown' | 'plain';

export function Card(
  { title, children, action }: {
    readonly title: string; readonly children: ReactNode; readonly action?: ReactNode;
  },
): ReactNode {
  return (
    <section className="hf-card" aria-label={title}>
      <header><h2>{title}</h2>{action}</header>
      {children}
    </section>
  );
}

export function Tile(
  { label, value, detail, tone = 'plain' }: {
    readonly label: string; readonly value: ReactNode; readonly detail?: ReactNode;
    readonly tone?: Tone;
  },
): ReactNode {
  return (
    <div className="hf-tile-fact" data-tone={tone}>
      <dt>{label}</dt>
      <dd>{value}{detail !== undefined && <small>{detail}</small>}</dd>
    </div>
  );
}

export function Tiles({ children }: { readonly children: ReactNode }): ReactNode {
  return <dl className="hf-tiles-facts">{children}</dl>;
}

const TONE_ICON: Readonly<Record<Tone, IconName>> = {
  good: 'check', attention: 'alert', unknown: 'info', plain: 'info',
};

/** Said in a word and a sign, never by colour alone. */
export function Badge(
  { tone, children }: { readonly tone: Tone; readonly children: ReactNode },
): ReactNode {
  return (
    <span className="hf-badge" data-tone={tone}>
      {tone !== 'plain' && <Icon name={TONE_ICON[tone]} small />}{children}
    </span>
  );
}

export interface NoticeProps {
  readonly tone: Tone;
  readonly title: string;
  readonly text?: string;
  /** Where to go on. */
  readonly href?: string | undefined;
  readonly next?: string | undefined;
}

export function Notice({ tone, title, text, href, next }: NoticeProps): ReactNode {
  return (
    <li className="hf-notice" data-tone={tone}>
      <Icon name={TONE_ICON[tone]} />
      <div><strong>{title}</strong>{text !== undefined && <p>{text}</p>}</div>
      {href !== undefined && next !== undefined && (
        <Button component={Link} href={href} size="compact-sm" variant="default">{next}</Button>
      )}
    </li>
  );
}

/** How much of something; near its end it warns, unless that is where it is meant to go. */
export function Bar({ share, label, isProgress = false }: {
  readonly share: number; readonly label: string; readonly isProgress?: boolean;
}): ReactNode {
  const percent = Math.min(100, Math.max(0, share * 100));
  return (
    <span
      className="hf-bar" role="img" aria-label={label} 
      data-full={share > 0.9 && !isProgress ? true : undefined}
    >
      <i style={{ width: `${percent}%` }} />
    </span>
  );
}
