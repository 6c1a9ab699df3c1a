/** The icons: own drawings on a grid of 24, all with one stroke. */
import type { ReactNode } from 'react';
import DRAWINGS from './icon-drawings.json';


export type IconName = keyof typeof DRAWINGS;

export interface IconProps {
  readonly name: IconName;
  readonly small?: boolean;
  /** Filled in as well as drawn. */
  readonly solid?: boolean;
  readonly className?: string;
}

export function Icon({ name, small, solid, className = '' }: IconProps): ReactNode {
  return (
    <svg
      className={`hf-icon ${small === true ? 'hf-icon-small' : ''} ${className}`}
      viewBox="0 0 24 24" aria-hidden="true" focusable="false"
      fill={solid === true ? 'currentColor' : 'none'} fillOpacity={0.18}
      stroke="currentColor" strokeWidth={1.7} strokeLinecap="round" strokeLinejoin="round"
    >
      <path d={DRAWINGS[name]} />
    </svg>
  );
}
